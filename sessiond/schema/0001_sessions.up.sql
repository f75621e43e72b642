-- The vault: sessions, encrypted, one row each, and what tells a wrong master key from the right.
--
-- A session is one row, not two: everything that changes together is written together, and the
-- envelope (sealed for exactly this user, site, row, kind and version) stays out of line in
-- TOAST, so that leases and health do not rewrite it. No earlier version is kept: a state is
-- proved before it is saved, and an older one holds rotated tokens.

CREATE SEQUENCE vault.session_ids;

CREATE TABLE vault.sessions (
	id bigint PRIMARY KEY,
	user_id bigint NOT NULL CHECK (user_id > 0),
	site text NOT NULL CHECK (octet_length(site) BETWEEN 1 AND 64),
	kind text NOT NULL CHECK (kind IN ('background', 'device')),
	fingerprint text NOT NULL CHECK (octet_length(fingerprint) BETWEEN 1 AND 64),
	account text NOT NULL,
	version bigint NOT NULL CHECK (version > 0),
	health text NOT NULL
		CHECK (health IN ('healthy', 'suspect', 'needs_sign_in', 'not_portable')),
	reason text,
	protected boolean NOT NULL,
	saved_at timestamptz NOT NULL,
	proved_at timestamptz NOT NULL,
	lease_token bigint NOT NULL DEFAULT 0,
	lease_holder text,
	lease_until timestamptz,
	key_id bigint NOT NULL,
	envelope bytea NOT NULL,
	CONSTRAINT sessions_fingerprint UNIQUE (user_id, fingerprint),
	CONSTRAINT sessions_reason CHECK ((health = 'healthy') = (reason IS NULL)),
	CONSTRAINT sessions_lease CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
);

ALTER SEQUENCE vault.session_ids OWNED BY vault.sessions.id;
-- What is encrypted does not compress.
ALTER TABLE vault.sessions ALTER COLUMN envelope SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX sessions_background ON vault.sessions (user_id, site)
	WHERE kind = 'background';

-- The names under which versions were saved, so that a save repeated after a lost answer is
-- recognised, also when somebody else has saved since. Those older than a day go with the next
-- save of their session.
CREATE TABLE vault.saves (
	session_id bigint NOT NULL REFERENCES vault.sessions ON DELETE CASCADE,
	save text NOT NULL CHECK (octet_length(save) BETWEEN 1 AND 64),
	user_id bigint NOT NULL,
	version bigint NOT NULL,
	saved_at timestamptz NOT NULL,
	PRIMARY KEY (session_id, save)
);

-- The salt of the fingerprints, sealed once under each master key that was ever the current one.
-- A key that does not open its row is a wrong key. sessiond writes the rows; nothing ever
-- changes one.
CREATE TABLE vault.key_checks (
	key_id bigint PRIMARY KEY,
	envelope bytea NOT NULL,
	made_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE vault.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE vault.saves ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.saves FORCE ROW LEVEL SECURITY;

-- Without a user in the transaction the comparison is NULL, and nothing is there.
CREATE POLICY own ON vault.sessions TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own ON vault.saves TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY operator ON vault.sessions FOR SELECT TO stead_operator USING (true);
CREATE POLICY rewrapper_sees ON vault.sessions FOR SELECT TO stead_rewrapper USING (true);
CREATE POLICY rewrapper_wraps ON vault.sessions FOR UPDATE TO stead_rewrapper USING (true);

-- Whose a session is, and which site's, cannot be changed: those columns are granted to nobody.
GRANT SELECT, INSERT, DELETE ON vault.sessions TO stead_sessiond;
GRANT UPDATE (account, version, health, reason, saved_at, proved_at, lease_token, lease_holder,
	lease_until, key_id, envelope) ON vault.sessions TO stead_sessiond;
GRANT SELECT, INSERT, DELETE ON vault.saves TO stead_sessiond;
GRANT SELECT, INSERT ON vault.key_checks TO stead_sessiond;
GRANT USAGE ON SEQUENCE vault.session_ids TO stead_sessiond;

GRANT SELECT (id, user_id, site, kind, account, version, health, reason, protected, saved_at,
	proved_at, lease_holder, lease_until, key_id) ON vault.sessions TO stead_operator;

GRANT SELECT (id, user_id, site, kind, fingerprint, version, key_id, envelope) ON vault.sessions
	TO stead_rewrapper;
GRANT UPDATE (key_id, envelope) ON vault.sessions TO stead_rewrapper;

-- Tells every sessiond what was saved, changed its health or went; sessiond/hub.c reads it. The
-- site comes last, for it may hold spaces.
CREATE FUNCTION vault.tell_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		PERFORM pg_notify('vault_sessions',
			format('%s %s needs_sign_in %s', OLD.user_id, OLD.version, OLD.site));
	ELSIF TG_OP = 'INSERT' OR OLD.version <> NEW.version OR OLD.health <> NEW.health THEN
		PERFORM pg_notify('vault_sessions',
			format('%s %s %s %s', NEW.user_id, NEW.version, NEW.health, NEW.site));
	END IF;
	RETURN NULL;
END
$$;

CREATE TRIGGER tell_change AFTER INSERT OR DELETE ON vault.sessions
	FOR EACH ROW EXECUTE FUNCTION vault.tell_change();
CREATE TRIGGER tell_update AFTER UPDATE OF version, health ON vault.sessions
	FOR EACH ROW EXECUTE FUNCTION vault.tell_change();
