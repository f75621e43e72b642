-- One state again. Where there were two the newer stays, as an older sessiond would have kept it: at a site that rotates its
-- tokens it is the only one that works.
DROP TRIGGER tell_update ON vault.sessions;
CREATE OR REPLACE FUNCTION vault.tell_change() RETURNS trigger
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

DROP TABLE vault.ends;
ALTER TABLE vault.sessions
	DROP CONSTRAINT sessions_last,
	DROP CONSTRAINT sessions_newest,
	DROP CONSTRAINT sessions_health_check,
	DROP CONSTRAINT sessions_reason;

ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE vault.sessions SET version = newest_version, key_id = newest_key_id, envelope = newest_envelope, saved_at = newest_at
	WHERE newest_version IS NOT NULL;
UPDATE vault.sessions SET health = CASE health WHEN 'working' THEN 'healthy' WHEN 'unproved' THEN 'suspect'
	WHEN 'site_down' THEN 'suspect' WHEN 'wrong_account' THEN 'needs_sign_in' ELSE health END;
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;

ALTER TABLE vault.sessions
	DROP COLUMN last_version,
	DROP COLUMN newest_version,
	DROP COLUMN newest_at,
	DROP COLUMN newest_key_id,
	DROP COLUMN newest_envelope,
	DROP COLUMN signed_in_at,
	ADD CONSTRAINT sessions_health_check CHECK (health IN ('healthy', 'suspect', 'needs_sign_in', 'not_portable')),
	ADD CONSTRAINT sessions_reason CHECK ((health = 'healthy') = (reason IS NULL));
COMMENT ON COLUMN vault.sessions.version IS NULL;

CREATE TRIGGER tell_update AFTER UPDATE OF version, health ON vault.sessions
	FOR EACH ROW EXECUTE FUNCTION vault.tell_change();
