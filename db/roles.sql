-- The roles and schemas of Stead, once per database. Run as a superuser in the database that Stead shall use (by
-- convention "stead"), again at will: what is there is put right, nothing is dropped.
--
--	createdb stead && psql -d stead -v ON_ERROR_STOP=1 -f db/roles.sql
--
-- Who is who:
--	stead_migrate	owns the schemas; stead-migrate connects as it. Row-level security is FORCEd on every table
--			that holds a person's rows, so not even the owner sees them.
--	stead_authd	the daemons; each may enter its own schema only. What it may do there, its migrations grant.
--	stead_sessiond
--	stead_botd
--	stead_operator	reads metadata for steadctl: no contents of sessions, no secrets
--	stead_claimer	claims due jobs of all persons from the queue, and sees when whose plan is due
--	stead_sweeper	sees what has ended in the queue, and removes it when it is old
--	stead_rewrapper	sees every stored envelope and may put one in its place that was rewrapped or sealed anew; removes
--			sessions of devices that nobody uses, never a background one
--
-- The last four log in nowhere. A daemon that is a member of one takes it on for one transaction (SET LOCAL ROLE) and
-- has nothing of it otherwise (NOINHERIT). Nobody has BYPASSRLS. How a role proves itself is for pg_hba.conf: peer
-- authentication on the Unix socket, with a pg_ident map when the operating system's user is called otherwise.

DO $$
DECLARE
	role text;
BEGIN
	FOREACH role IN ARRAY ARRAY['stead_migrate', 'stead_authd', 'stead_sessiond', 'stead_botd',
		'stead_operator', 'stead_claimer', 'stead_sweeper', 'stead_rewrapper']
	LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
			EXECUTE format('CREATE ROLE %I', role);
		END IF;
		EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT',
			role);
	END LOOP;
END $$;

ALTER ROLE stead_migrate LOGIN;
ALTER ROLE stead_authd LOGIN;
ALTER ROLE stead_sessiond LOGIN;
ALTER ROLE stead_botd LOGIN;
ALTER ROLE stead_operator NOLOGIN;
ALTER ROLE stead_claimer NOLOGIN;
ALTER ROLE stead_sweeper NOLOGIN;
ALTER ROLE stead_rewrapper NOLOGIN;

GRANT stead_operator TO stead_sessiond, stead_botd;
GRANT stead_claimer, stead_sweeper TO stead_botd;
GRANT stead_rewrapper TO stead_sessiond;

-- Nobody else has any business in this database.
DO $$
BEGIN
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO stead_migrate, stead_authd, stead_sessiond, stead_botd',
		current_database());
	-- names without a schema mean the daemon's own
	EXECUTE format('ALTER ROLE stead_authd IN DATABASE %I SET search_path = authd', current_database());
	EXECUTE format('ALTER ROLE stead_sessiond IN DATABASE %I SET search_path = vault', current_database());
	EXECUTE format('ALTER ROLE stead_botd IN DATABASE %I SET search_path = jobs', current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS authd AUTHORIZATION stead_migrate;
CREATE SCHEMA IF NOT EXISTS vault AUTHORIZATION stead_migrate;
CREATE SCHEMA IF NOT EXISTS jobs AUTHORIZATION stead_migrate;
CREATE SCHEMA IF NOT EXISTS stead_migrations AUTHORIZATION stead_migrate;
ALTER SCHEMA authd OWNER TO stead_migrate;
ALTER SCHEMA vault OWNER TO stead_migrate;
ALTER SCHEMA jobs OWNER TO stead_migrate;
ALTER SCHEMA stead_migrations OWNER TO stead_migrate;
REVOKE ALL ON SCHEMA authd, vault, jobs, stead_migrations FROM PUBLIC;

GRANT USAGE ON SCHEMA authd TO stead_authd;
GRANT USAGE ON SCHEMA vault TO stead_sessiond, stead_operator, stead_rewrapper;
GRANT USAGE ON SCHEMA jobs TO stead_botd, stead_operator, stead_claimer, stead_sweeper;

-- PostgreSQL lets everybody execute a new function; here the migration says who may.
ALTER DEFAULT PRIVILEGES FOR ROLE stead_migrate REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
