-- Accounts and the logins that they are used by. authd alone reads and writes here, so rows have no policies of their
-- own; what authd may do is granted table by table, and never more than it does.

CREATE TABLE users (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
	password text NOT NULL, -- Argon2id with its parameters, as libargon2 encodes it
	admin boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_login_at timestamptz
);
-- Alice and alice are one person, or one of them is up to no good.
CREATE UNIQUE INDEX users_name ON users (lower(name));

-- A login's id is in the browser's cookie and nowhere else: what lies here is its SHA-256.
CREATE TABLE logins (
	hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
	name text NOT NULL UNIQUE, -- may be told to other daemons and written to logs
	user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	seen_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	ip text
);
CREATE INDEX logins_user ON logins (user_id);
CREATE INDEX logins_expiry ON logins (expires_at);

-- Browsers that somebody has signed in from: they are throttled apart, so that strangers cannot keep the person out.
CREATE TABLE devices (
	hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
	user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX devices_user ON devices (user_id);

GRANT SELECT, INSERT, UPDATE ON users TO stead_authd;
GRANT SELECT, INSERT, UPDATE, DELETE ON logins, devices TO stead_authd;
