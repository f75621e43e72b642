-- The queue knows nothing of bookings: a job is of a kind, waits in a queue, and is run by whoever knows the kind. What is of a
-- booking alone stands beside it, under the same number.
--
-- Waiting: scheduled until due_at; then queued, in turn; or behind, while another job of its lane is queued or running. Only
-- one of a person's lane is either at a time, for they share something, such as a session. A job that is running is leased:
-- attempt counts its leases and is the fencing token that every write of whoever has it names.
--
-- Turns are fair between persons: a job's turn in its queue is one more than that of its person's last one that is queued or under way
-- there, and more than what is served there just now (jobs.served). So ten thousand jobs of one person keep nobody else's waiting for
-- long, and nobody who comes later passes a job by more than a round.

DO $$
BEGIN
	IF to_regrole('stead_sweeper') IS NULL THEN
		RAISE EXCEPTION 'The role stead_sweeper is missing. Run roles.sql (/usr/share/stead/roles.sql) in this database as a superuser, then this again.';
	END IF;
END
$$;

ALTER SEQUENCE jobs.booking_ids RENAME TO job_ids;
DROP TABLE jobs.turns;

CREATE TABLE jobs.jobs (
	id bigint PRIMARY KEY DEFAULT nextval('jobs.job_ids'),
	user_id bigint NOT NULL CHECK (user_id > 0),
	kind text NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
	queue text NOT NULL CHECK (octet_length(queue) BETWEEN 1 AND 64),
	lane text CHECK (octet_length(lane) BETWEEN 1 AND 64),
	key text CHECK (octet_length(key) BETWEEN 1 AND 64),
	priority smallint NOT NULL DEFAULT 0,
	state text NOT NULL DEFAULT 'queued' CHECK (state IN ('scheduled', 'behind', 'queued', 'running', 'waiting', 'done', 'cancelled')),
	outcome text CHECK (octet_length(outcome) BETWEEN 1 AND 64),
	reason text,
	turn bigint NOT NULL DEFAULT 0,
	queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	due_at timestamptz NOT NULL DEFAULT now(),
	attempt bigint NOT NULL DEFAULT 0,
	failures integer NOT NULL DEFAULT 0,
	lease_until timestamptz,
	worker bigint,
	cancel boolean NOT NULL DEFAULT false,
	last_line bigint NOT NULL DEFAULT 0,
	payload json,
	created_at timestamptz NOT NULL DEFAULT now(),
	finished_at timestamptz,
	CONSTRAINT jobs_key UNIQUE (user_id, kind, key),
	CONSTRAINT jobs_outcome CHECK ((state = 'done') = (outcome IS NOT NULL)),
	CONSTRAINT jobs_booking_outcome CHECK (kind <> 'booking' OR outcome IN ('booked', 'waitlisted', 'full', 'too_early', 'no_credit',
		'already_booked', 'limit', 'unconfirmed', 'failed')),
	CONSTRAINT jobs_lease CHECK ((state = 'running') = (lease_until IS NOT NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

COMMENT ON COLUMN jobs.jobs.kind IS 'which handler knows what to do; one of an unknown kind is left alone';
COMMENT ON COLUMN jobs.jobs.queue IS 'what is paused and limited together: all that goes to one site, say';
COMMENT ON COLUMN jobs.jobs.lane IS 'of a person: those with the same are run one after another; NULL: with any others';
COMMENT ON COLUMN jobs.jobs.key IS 'name of the request, made by whoever asked; NULL: it has none';
COMMENT ON COLUMN jobs.jobs.turn IS 'lower ones first, those that are equal in the order in which they were queued';
COMMENT ON COLUMN jobs.jobs.failures IS 'attempts in a row that came to nothing through nobody''s fault, or whose lease ran out';
COMMENT ON COLUMN jobs.jobs.worker IS 'who has it, or had it last: jobs.workers';
COMMENT ON COLUMN jobs.jobs.cancel IS 'running: its person does not want it any more; whoever has it ends it, unless it is too late';
COMMENT ON COLUMN jobs.jobs.reason IS 'why it has ended so, or is tried again, or waits: a sentence';

CREATE INDEX jobs_due ON jobs.jobs (queue, kind, priority, turn, queued_at) WHERE state = 'queued';
CREATE INDEX jobs_last_turn ON jobs.jobs (user_id, queue, kind, turn) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_scheduled ON jobs.jobs (due_at) WHERE state = 'scheduled';
CREATE INDEX jobs_running ON jobs.jobs (kind) WHERE state = 'running';
CREATE INDEX jobs_open ON jobs.jobs (user_id, kind, queue) WHERE state IN ('scheduled', 'behind', 'queued', 'waiting');
CREATE INDEX jobs_behind ON jobs.jobs (user_id, lane, priority, due_at, id) WHERE state = 'behind';
CREATE UNIQUE INDEX jobs_lane ON jobs.jobs (user_id, lane) WHERE state IN ('queued', 'running') AND lane IS NOT NULL;
CREATE INDEX jobs_finished ON jobs.jobs (kind, finished_at) WHERE state IN ('done', 'cancelled');
CREATE INDEX jobs_of_user ON jobs.jobs (user_id, id);

CREATE TABLE jobs.queues (
	name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 64),
	paused boolean NOT NULL DEFAULT false,
	most integer CHECK (most > 0)
);
COMMENT ON TABLE jobs.queues IS 'those that are not as they are by themselves: open, and without a limit of their own';
COMMENT ON COLUMN jobs.queues.most IS 'how many of it may be under way at once, of all kinds together';

CREATE TABLE jobs.served (
	queue text NOT NULL,
	kind text NOT NULL,
	turn bigint NOT NULL,
	PRIMARY KEY (queue, kind)
) WITH (fillfactor = 50);
COMMENT ON TABLE jobs.served IS 'the highest turn that was claimed there';

CREATE TABLE jobs.workers (
	id bigint PRIMARY KEY CHECK (id > 0),
	host text NOT NULL,
	pid integer NOT NULL,
	version text NOT NULL,
	started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	beat_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
COMMENT ON TABLE jobs.workers IS 'every botd at this database, by the number that it has chosen';

CREATE TABLE jobs.leader (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	worker bigint,
	until timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE jobs.leader IS 'which of the workers does what one alone is to do now and then, and until when it says so';
INSERT INTO jobs.leader DEFAULT VALUES;

-- The bookings that there are; of each lane the first is in line. The owner of a table is subject to its policies otherwise.
DROP TRIGGER tell_change ON jobs.bookings;
DROP FUNCTION jobs.tell_change();
ALTER TABLE jobs.bookings NO FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.lines NO FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.pictures NO FORCE ROW LEVEL SECURITY;
INSERT INTO jobs.jobs (id, user_id, kind, queue, lane, key, state, outcome, reason, due_at, attempt, failures, lease_until, last_line,
		created_at, finished_at)
	SELECT id, user_id, 'booking', site, site, key, CASE WHEN line > 1 THEN 'behind' ELSE becomes END, outcome, reason, due_at, attempt,
		failures, CASE WHEN becomes = 'running' THEN due_at END, last_line, created_at, finished_at
	FROM (SELECT *, CASE WHEN becomes IN ('running', 'queued') THEN row_number() OVER (PARTITION BY user_id, site, becomes IN ('running', 'queued')
			ORDER BY becomes = 'running' DESC, due_at, id) END AS line
		FROM (SELECT *, CASE WHEN state = 'needs_sign_in' THEN 'waiting' WHEN state = 'queued' AND due_at > now() THEN 'scheduled'
			ELSE state END AS becomes FROM jobs.bookings) b) b;

-- In line, or behind the one of its lane that is.
CREATE FUNCTION jobs.line_up() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	NEW.queued_at := clock_timestamp();
	IF TG_OP = 'UPDATE' AND OLD.state = 'running' THEN
		NEW.turn := NEW.turn + 1; -- it has had this one
	END IF;
	IF NEW.lane IS NOT NULL THEN
		-- Whoever else lines up or moves up in this lane is waited for, and then seen.
		PERFORM pg_advisory_xact_lock(hashtextextended(NEW.user_id || ' ' || NEW.lane, 0));
		IF EXISTS (SELECT FROM jobs.jobs WHERE user_id = NEW.user_id AND lane = NEW.lane AND state IN ('queued', 'running')
			AND id <> NEW.id) THEN
			NEW.state := 'behind';
			RETURN NEW;
		END IF;
	END IF;
	NEW.turn := greatest(NEW.turn, 1 + (SELECT turn FROM jobs.served WHERE queue = NEW.queue AND kind = NEW.kind),
		1 + (SELECT max(turn) FROM jobs.jobs WHERE user_id = NEW.user_id AND queue = NEW.queue AND kind = NEW.kind
			AND state IN ('queued', 'running') AND id <> NEW.id));
	RETURN NEW;
END
$$;

CREATE TRIGGER line_up BEFORE INSERT ON jobs.jobs
	FOR EACH ROW WHEN (NEW.state = 'queued') EXECUTE FUNCTION jobs.line_up();
CREATE TRIGGER line_up_again BEFORE UPDATE OF state ON jobs.jobs
	FOR EACH ROW WHEN (NEW.state = 'queued' AND OLD.state <> 'queued') EXECUTE FUNCTION jobs.line_up();

-- Behind one that is queued or running no more is the next of its lane, whose turn comes after that one's.
CREATE FUNCTION jobs.move_up() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(OLD.user_id || ' ' || OLD.lane, 0));
	UPDATE jobs.jobs SET state = 'queued', turn = OLD.turn + 1 WHERE id = (SELECT id FROM jobs.jobs WHERE user_id = OLD.user_id
		AND lane = OLD.lane AND state = 'behind' ORDER BY priority, due_at, id LIMIT 1 FOR UPDATE);
	RETURN NULL;
END
$$;

CREATE TRIGGER move_up AFTER UPDATE OF state ON jobs.jobs FOR EACH ROW
	WHEN (OLD.lane IS NOT NULL AND OLD.state IN ('queued', 'running') AND NEW.state NOT IN ('queued', 'running'))
	EXECUTE FUNCTION jobs.move_up();
CREATE TRIGGER move_up_removed AFTER DELETE ON jobs.jobs FOR EACH ROW
	WHEN (OLD.lane IS NOT NULL AND OLD.state IN ('queued', 'running')) EXECUTE FUNCTION jobs.move_up();

-- Tells every botd that there is work (jobs_queue), whoever runs jobs which of them are not wanted any more (jobs_cancel: their numbers),
-- and who watches jobs which have changed (jobs_news: their numbers, or "" for more than a notification holds). Once for a statement, for each notification takes a lock that all of PostgreSQL shares.
CREATE FUNCTION jobs.tell_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF EXISTS (SELECT FROM fresh WHERE state IN ('queued', 'scheduled')) THEN
		PERFORM pg_notify('jobs_queue', '');
	END IF;
	RETURN NULL;
END
$$;
-- Its plan is kept from its first call, when there may have been one row: a nested loop would be quadratic in later ones.
CREATE FUNCTION jobs.tell_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog SET enable_nestloop = off AS $$
DECLARE
	ids text;
	unwanted text;
	work boolean;
BEGIN
	SELECT string_agg(f.id::text, ' ') FILTER (WHERE f.last_line > 0), -- whoever watches a job reads its log
		string_agg(f.id::text, ' ') FILTER (WHERE f.cancel AND NOT o.cancel),
		bool_or(f.state <> o.state AND f.state IN ('queued', 'scheduled')) INTO ids, unwanted, work
		FROM fresh f JOIN old o USING (id) WHERE f.state <> o.state OR f.last_line <> o.last_line OR f.cancel <> o.cancel;
	IF work THEN
		PERFORM pg_notify('jobs_queue', '');
	END IF;
	IF length(unwanted) < 7900 THEN -- of more than that, each hears with its next beat
		PERFORM pg_notify('jobs_cancel', unwanted);
	END IF;
	IF ids IS NOT NULL THEN
		PERFORM pg_notify('jobs_news', CASE WHEN length(ids) < 7900 THEN ids ELSE '' END);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER tell_new AFTER INSERT ON jobs.jobs
	REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION jobs.tell_new();
CREATE TRIGGER tell_changed AFTER UPDATE ON jobs.jobs
	REFERENCING OLD TABLE AS old NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION jobs.tell_changed();

ALTER TABLE jobs.lines RENAME COLUMN booking_id TO job_id;
ALTER TABLE jobs.lines DROP CONSTRAINT lines_booking_id_fkey, ADD FOREIGN KEY (job_id) REFERENCES jobs.jobs ON DELETE CASCADE;
ALTER TABLE jobs.pictures RENAME COLUMN booking_id TO job_id;
ALTER TABLE jobs.pictures DROP CONSTRAINT pictures_booking_id_fkey, ADD FOREIGN KEY (job_id) REFERENCES jobs.jobs ON DELETE CASCADE;

ALTER TABLE jobs.bookings
	ALTER COLUMN id DROP DEFAULT,
	ADD FOREIGN KEY (id) REFERENCES jobs.jobs ON DELETE CASCADE,
	DROP COLUMN key,
	DROP COLUMN state,
	DROP COLUMN outcome,
	DROP COLUMN reason,
	DROP COLUMN attempt,
	DROP COLUMN failures,
	DROP COLUMN due_at,
	DROP COLUMN last_line,
	DROP COLUMN created_at,
	DROP COLUMN finished_at;
ALTER TABLE jobs.bookings FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.lines FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.pictures FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE jobs.bookings IS 'what is of a booking alone; the job of that number has the rest';

ALTER TABLE jobs.jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON jobs.jobs TO stead_botd
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY operator ON jobs.jobs FOR SELECT TO stead_operator USING (true);
CREATE POLICY claimer_sees ON jobs.jobs FOR SELECT TO stead_claimer USING (true);
CREATE POLICY claimer_claims ON jobs.jobs FOR UPDATE TO stead_claimer USING (true);
CREATE POLICY sweeper_sees ON jobs.jobs FOR SELECT TO stead_sweeper USING (state IN ('done', 'cancelled'));
CREATE POLICY sweeper_locks ON jobs.jobs FOR UPDATE TO stead_sweeper USING (state IN ('done', 'cancelled'));
CREATE POLICY sweeper_sweeps ON jobs.jobs FOR DELETE TO stead_sweeper USING (state IN ('done', 'cancelled'));
DROP POLICY claimer_sees ON jobs.bookings;
DROP POLICY claimer_claims ON jobs.bookings;
REVOKE ALL ON jobs.bookings FROM stead_claimer;

-- Whose a job is, and what was asked for, cannot be changed: those columns are granted to nobody. Whoever claims writes lease,
-- state and outcome alone.
GRANT SELECT, INSERT ON jobs.jobs TO stead_botd;
GRANT UPDATE (state, outcome, reason, turn, due_at, attempt, failures, lease_until, worker, cancel, last_line, finished_at) ON jobs.jobs TO stead_botd;
GRANT SELECT ON jobs.jobs TO stead_claimer;
GRANT UPDATE (state, outcome, turn, due_at, attempt, failures, lease_until, worker, cancel, finished_at) ON jobs.jobs TO stead_claimer;
GRANT SELECT ON jobs.jobs, jobs.queues TO stead_operator;
GRANT SELECT, INSERT, UPDATE (beat_at), DELETE ON jobs.workers TO stead_botd;
GRANT SELECT, UPDATE (worker, until) ON jobs.leader TO stead_botd;
GRANT SELECT ON jobs.workers, jobs.leader TO stead_operator;
GRANT SELECT, DELETE, UPDATE (worker) ON jobs.jobs TO stead_sweeper; -- to lock what goes
GRANT SELECT, DELETE ON jobs.workers TO stead_sweeper;
GRANT INSERT, UPDATE (paused, most), DELETE ON jobs.queues TO stead_botd;
GRANT SELECT ON jobs.queues TO stead_botd, stead_claimer;
GRANT SELECT ON jobs.served TO stead_botd, stead_claimer;
GRANT INSERT, UPDATE (turn) ON jobs.served TO stead_claimer;
GRANT UPDATE (most) ON jobs.queues TO stead_claimer; -- to lock those that have a limit
GRANT EXECUTE ON FUNCTION jobs.line_up(), jobs.move_up(), jobs.tell_new(), jobs.tell_changed() TO stead_botd, stead_claimer;
