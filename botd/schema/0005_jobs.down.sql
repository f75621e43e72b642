-- Bookings are the queue themselves again. Jobs of other kinds go, with their logs and pictures, and what was said of queues; who
-- waits in turn does so as if nobody had been served. The owner of a table is subject to its policies otherwise.
ALTER TABLE jobs.jobs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.bookings NO FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.lines NO FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.pictures NO FORCE ROW LEVEL SECURITY;
DELETE FROM jobs.lines l WHERE NOT EXISTS (SELECT FROM jobs.bookings WHERE id = l.job_id);
DELETE FROM jobs.pictures p WHERE NOT EXISTS (SELECT FROM jobs.bookings WHERE id = p.job_id);

ALTER TABLE jobs.lines DROP CONSTRAINT lines_job_id_fkey;
ALTER TABLE jobs.pictures DROP CONSTRAINT pictures_job_id_fkey;
ALTER TABLE jobs.bookings
	DROP CONSTRAINT bookings_id_fkey,
	ADD COLUMN key text,
	ADD COLUMN state text,
	ADD COLUMN outcome text,
	ADD COLUMN reason text,
	ADD COLUMN attempt bigint NOT NULL DEFAULT 0,
	ADD COLUMN failures integer NOT NULL DEFAULT 0,
	ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(),
	ADD COLUMN last_line bigint NOT NULL DEFAULT 0,
	ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
	ADD COLUMN finished_at timestamptz;
UPDATE jobs.bookings b SET key = coalesce(j.key, 'job ' || j.id || ' ' || gen_random_uuid()), outcome = j.outcome, reason = j.reason, attempt = j.attempt,
	failures = j.failures, due_at = coalesce(j.lease_until, j.due_at), last_line = j.last_line, created_at = j.created_at,
	finished_at = j.finished_at, state = CASE WHEN j.state IN ('scheduled', 'behind') THEN 'queued'
		WHEN j.state = 'waiting' THEN 'needs_sign_in' ELSE j.state END
	FROM jobs.jobs j WHERE j.id = b.id;
DROP TABLE jobs.jobs, jobs.queues, jobs.served, jobs.workers, jobs.leader;
DROP FUNCTION jobs.line_up(), jobs.move_up(), jobs.tell_new(), jobs.tell_changed();

ALTER SEQUENCE jobs.job_ids RENAME TO booking_ids;
ALTER TABLE jobs.bookings
	ALTER COLUMN id SET DEFAULT nextval('jobs.booking_ids'),
	ALTER COLUMN key SET NOT NULL,
	ALTER COLUMN state SET NOT NULL,
	ALTER COLUMN state SET DEFAULT 'queued',
	ADD CONSTRAINT bookings_key_check CHECK (octet_length(key) BETWEEN 1 AND 64),
	ADD CONSTRAINT bookings_state_check CHECK (state IN ('queued', 'running', 'needs_sign_in', 'done', 'cancelled')),
	ADD CONSTRAINT bookings_outcome_check CHECK (outcome IN ('booked', 'waitlisted', 'full', 'too_early', 'no_credit', 'already_booked',
		'limit', 'unconfirmed', 'failed')),
	ADD CONSTRAINT bookings_key UNIQUE (user_id, key),
	ADD CONSTRAINT bookings_outcome CHECK ((state = 'done') = (outcome IS NOT NULL));
COMMENT ON TABLE jobs.bookings IS NULL;
COMMENT ON COLUMN jobs.bookings.failures IS 'attempts in a row that came to nothing through nobody''s fault, or whose lease ran out';
CREATE INDEX bookings_due ON jobs.bookings (due_at, id) WHERE state IN ('queued', 'running');
CREATE INDEX bookings_waiting ON jobs.bookings (user_id, site) WHERE state = 'needs_sign_in';
CREATE INDEX bookings_next ON jobs.bookings (user_id, site, due_at, id) WHERE state = 'queued';
CREATE UNIQUE INDEX bookings_one_run ON jobs.bookings (user_id, site) WHERE state = 'running';

ALTER TABLE jobs.lines RENAME COLUMN job_id TO booking_id;
ALTER TABLE jobs.lines ADD CONSTRAINT lines_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES jobs.bookings ON DELETE CASCADE;
ALTER TABLE jobs.pictures RENAME COLUMN job_id TO booking_id;
ALTER TABLE jobs.pictures ADD CONSTRAINT pictures_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES jobs.bookings ON DELETE CASCADE;
ALTER TABLE jobs.lines FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.pictures FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.bookings FORCE ROW LEVEL SECURITY;

CREATE POLICY claimer_sees ON jobs.bookings FOR SELECT TO stead_claimer USING (true);
CREATE POLICY claimer_claims ON jobs.bookings FOR UPDATE TO stead_claimer USING (true);
GRANT UPDATE (state, outcome, reason, attempt, failures, due_at, last_line, finished_at) ON jobs.bookings TO stead_botd;
GRANT SELECT ON jobs.bookings TO stead_claimer;
GRANT UPDATE (state, reason, attempt, due_at, failures, looks, step, steps) ON jobs.bookings TO stead_claimer;

CREATE TABLE jobs.turns (
	user_id bigint NOT NULL CHECK (user_id > 0),
	site text NOT NULL CHECK (octet_length(site) BETWEEN 1 AND 64),
	served_at timestamptz NOT NULL,
	PRIMARY KEY (user_id, site)
) WITH (fillfactor = 50);
COMMENT ON TABLE jobs.turns IS 'when a booking of that person at that site was last claimed';
ALTER TABLE jobs.turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.turns FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON jobs.turns TO stead_botd
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY claimer ON jobs.turns TO stead_claimer USING (true);
GRANT SELECT, INSERT, UPDATE (served_at) ON jobs.turns TO stead_botd, stead_claimer;

CREATE FUNCTION jobs.tell_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF NEW.state = 'queued' AND (TG_OP = 'INSERT' OR OLD.state <> 'queued') THEN
		PERFORM pg_notify('jobs_queue', '');
	END IF;
	IF TG_OP = 'UPDATE' AND (OLD.state <> NEW.state OR OLD.last_line <> NEW.last_line) THEN
		PERFORM pg_notify('jobs_bookings', NEW.id::text);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER tell_change AFTER INSERT OR UPDATE OF state, last_line ON jobs.bookings
	FOR EACH ROW EXECUTE FUNCTION jobs.tell_change();
