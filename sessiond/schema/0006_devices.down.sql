-- Background sessions alone again: an older sessiond never made another. The sessions of devices go, and whoever signed in with one
-- signs in there again.
ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
DELETE FROM vault.sessions WHERE NOT protected;
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;

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

DROP POLICY rewrapper_cleans ON vault.sessions;
REVOKE DELETE ON vault.sessions FROM stead_rewrapper;
REVOKE SELECT (protected, lease_until) ON vault.sessions FROM stead_rewrapper;

DROP POLICY own_seen ON vault.ends;
DROP POLICY own_made ON vault.ends;
DROP POLICY own_deleted ON vault.ends;
CREATE POLICY own ON vault.ends TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
DROP POLICY own_seen ON vault.saves;
DROP POLICY own_made ON vault.saves;
DROP POLICY own_deleted ON vault.saves;
CREATE POLICY own ON vault.saves TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
DROP POLICY own_seen ON vault.sessions;
DROP POLICY own_made ON vault.sessions;
DROP POLICY own_changed ON vault.sessions;
DROP POLICY own_device_deleted ON vault.sessions;
DROP POLICY own_background_deleted ON vault.sessions;
CREATE POLICY own ON vault.sessions TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);

DROP INDEX vault.sessions_unused;
ALTER TABLE vault.sessions
	DROP CONSTRAINT sessions_protected,
	DROP CONSTRAINT sessions_fingerprint,
	ADD CONSTRAINT sessions_fingerprint UNIQUE (user_id, fingerprint),
	DROP COLUMN used_at;
