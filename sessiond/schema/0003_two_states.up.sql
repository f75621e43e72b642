-- Two states of a session: the last that was proved, and beside it the newest that a browser left behind unproved. A site that
-- rotates its tokens makes the older one worthless, an accident the newer one; the next use tells. Each state is sealed for its
-- own version, so neither can be put in the place of the other.
--
-- version is the proved state's. last_version is the session's: it counts every save of either, and none is given twice, also
-- where the newest has gone.

ALTER TABLE vault.sessions
	ADD COLUMN last_version bigint,
	ADD COLUMN newest_version bigint,
	ADD COLUMN newest_at timestamptz,
	ADD COLUMN newest_key_id bigint,
	ADD COLUMN newest_envelope bytea,
	ADD COLUMN signed_in_at timestamptz;

COMMENT ON COLUMN vault.sessions.version IS 'of the proved state';
COMMENT ON COLUMN vault.sessions.last_version IS 'the highest that was ever given to a state of this session';
COMMENT ON COLUMN vault.sessions.newest_version IS 'of the state that a browser left behind unproved; NULL: there is none';
COMMENT ON COLUMN vault.sessions.signed_in_at IS 'when the person signed in; NULL: before that was written down';

-- The owner of the table is subject to its policies otherwise.
ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE vault.sessions SET last_version = version;

ALTER TABLE vault.sessions
	ALTER COLUMN last_version SET NOT NULL,
	ALTER COLUMN newest_envelope SET STORAGE EXTERNAL,
	ADD CONSTRAINT sessions_newest CHECK (num_nonnulls(newest_version, newest_at, newest_key_id, newest_envelope) IN (0, 4)),
	ADD CONSTRAINT sessions_last CHECK (last_version >= version AND last_version >= COALESCE(newest_version, version)
		AND newest_version <> version);

-- Health in the words of what a person can do about it. healthy and suspect were all that there was beside the ends.
ALTER TABLE vault.sessions DROP CONSTRAINT sessions_health_check;
ALTER TABLE vault.sessions DROP CONSTRAINT sessions_reason;
UPDATE vault.sessions SET health = CASE health WHEN 'healthy' THEN 'working' WHEN 'suspect' THEN 'unproved' ELSE health END;
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE vault.sessions
	ADD CONSTRAINT sessions_health_check CHECK (health IN ('working', 'unproved', 'site_down', 'needs_sign_in', 'wrong_account',
		'not_portable')),
	ADD CONSTRAINT sessions_reason CHECK ((health = 'working') = (reason IS NULL));

-- How long sign-ins have lived: of each whose end was seen, when it began, when the site last showed that it works, and when it
-- was found ended. They go with the session, and after a year.
CREATE TABLE vault.ends (
	session_id bigint NOT NULL REFERENCES vault.sessions ON DELETE CASCADE,
	user_id bigint NOT NULL,
	signed_in_at timestamptz NOT NULL,
	alive_at timestamptz NOT NULL,
	ended_at timestamptz NOT NULL,
	PRIMARY KEY (session_id, signed_in_at),
	CONSTRAINT ends_order CHECK (signed_in_at <= alive_at AND alive_at <= ended_at)
);

ALTER TABLE vault.ends ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.ends FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON vault.ends TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY operator ON vault.ends FOR SELECT TO stead_operator USING (true);

GRANT SELECT, INSERT, DELETE ON vault.ends TO stead_sessiond;
GRANT SELECT ON vault.ends TO stead_operator;

GRANT UPDATE (last_version, newest_version, newest_at, newest_key_id, newest_envelope, signed_in_at) ON vault.sessions
	TO stead_sessiond;
GRANT SELECT (last_version, newest_version, newest_at, newest_key_id, signed_in_at) ON vault.sessions TO stead_operator;
GRANT SELECT (newest_version, newest_key_id, newest_envelope) ON vault.sessions TO stead_rewrapper;
GRANT UPDATE (newest_key_id, newest_envelope) ON vault.sessions TO stead_rewrapper;

-- What is told of a session is its own version, whichever state was saved.
CREATE OR REPLACE FUNCTION vault.tell_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		PERFORM pg_notify('vault_sessions',
			format('%s %s needs_sign_in %s', OLD.user_id, OLD.last_version, OLD.site));
	ELSIF TG_OP = 'INSERT' OR OLD.last_version <> NEW.last_version OR OLD.health <> NEW.health THEN
		PERFORM pg_notify('vault_sessions',
			format('%s %s %s %s', NEW.user_id, NEW.last_version, NEW.health, NEW.site));
	END IF;
	RETURN NULL;
END
$$;

DROP TRIGGER tell_update ON vault.sessions;
CREATE TRIGGER tell_update AFTER UPDATE OF last_version, health ON vault.sessions
	FOR EACH ROW EXECUTE FUNCTION vault.tell_change();
