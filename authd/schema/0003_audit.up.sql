-- What happened that somebody may have to answer for. authd can add rows and read them; it can neither change nor
-- remove one, so that whoever takes authd over cannot hide what came before.

CREATE TABLE audit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	event text NOT NULL CHECK (octet_length(event) BETWEEN 1 AND 64),
	user_name text CHECK (octet_length(user_name) <= 64), -- a name, not a reference: accounts go, this stays
	ip text CHECK (octet_length(ip) <= 64),
	detail text CHECK (octet_length(detail) <= 512)
);

-- Neither its number nor its time is authd's to choose.
GRANT SELECT, INSERT (event, user_name, ip, detail) ON audit TO stead_authd;
