-- Sessions of devices beside the background one. A person has one background session at a site, and as many of devices as they sign in
-- with, each under a fingerprint that its device gives. What nobody may name from outside begins with "bg-": it is the background's.
--
-- The background session is protected, and here is who protects it: only a transaction that names it (stead.confirmed) deletes it, and
-- whoever cleans up sees devices alone.

ALTER TABLE vault.sessions ADD COLUMN used_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN vault.sessions.used_at IS 'when it was last saved, leased or handed out, to the hour';

-- The owner of the table is subject to its policies otherwise.
ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE vault.sessions SET used_at = greatest(saved_at, newest_at);
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;

ALTER TABLE vault.sessions
	DROP CONSTRAINT sessions_fingerprint,
	ADD CONSTRAINT sessions_fingerprint UNIQUE (user_id, site, fingerprint),
	ADD CONSTRAINT sessions_protected CHECK (protected = (kind = 'background') AND protected = starts_with(fingerprint, 'bg-'));
CREATE INDEX sessions_unused ON vault.sessions (used_at) WHERE NOT protected;

-- What sessiond may do with a person's sessions, deed by deed; without a user in the transaction the comparison is NULL.
DROP POLICY own ON vault.sessions;
CREATE POLICY own_seen ON vault.sessions FOR SELECT TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_made ON vault.sessions FOR INSERT TO stead_sessiond
	WITH CHECK (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_changed ON vault.sessions FOR UPDATE TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_device_deleted ON vault.sessions FOR DELETE TO stead_sessiond
	USING (NOT protected AND user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_background_deleted ON vault.sessions FOR DELETE TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint
		AND id = NULLIF(current_setting('stead.confirmed', true), '')::bigint);

DROP POLICY own ON vault.saves;
CREATE POLICY own_seen ON vault.saves FOR SELECT TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_made ON vault.saves FOR INSERT TO stead_sessiond
	WITH CHECK (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_deleted ON vault.saves FOR DELETE TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);

DROP POLICY own ON vault.ends;
CREATE POLICY own_seen ON vault.ends FOR SELECT TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_made ON vault.ends FOR INSERT TO stead_sessiond
	WITH CHECK (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own_deleted ON vault.ends FOR DELETE TO stead_sessiond
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);

CREATE POLICY rewrapper_cleans ON vault.sessions FOR DELETE TO stead_rewrapper USING (NOT protected);

GRANT UPDATE (used_at) ON vault.sessions TO stead_sessiond;
GRANT SELECT (used_at) ON vault.sessions TO stead_operator;
GRANT SELECT (protected, used_at, lease_until) ON vault.sessions TO stead_rewrapper;
GRANT DELETE ON vault.sessions TO stead_rewrapper;

-- Jobs wait for background sessions, so only those are told of.
CREATE OR REPLACE FUNCTION vault.tell_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		IF OLD.protected THEN
			PERFORM pg_notify('vault_sessions',
				format('%s %s needs_sign_in %s', OLD.user_id, OLD.last_version, OLD.site));
		END IF;
	ELSIF NEW.protected AND (TG_OP = 'INSERT' OR OLD.last_version <> NEW.last_version OR OLD.health <> NEW.health) THEN
		PERFORM pg_notify('vault_sessions',
			format('%s %s %s %s', NEW.user_id, NEW.last_version, NEW.health, NEW.site));
	END IF;
	RETURN NULL;
END
$$;
