-- The hands: bookings, which are also the queue, and what was done for each.
--
-- A booking that is running is leased: attempt counts its leases and is the fencing token that every write of a worker
-- names. due_at is when it may be claimed: when its turn comes (queued), or when the lease ends (running).

CREATE SEQUENCE jobs.booking_ids;

CREATE TABLE jobs.bookings (
	id bigint PRIMARY KEY DEFAULT nextval('jobs.booking_ids'),
	user_id bigint NOT NULL CHECK (user_id > 0),
	key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 64),
	site text NOT NULL CHECK (octet_length(site) BETWEEN 1 AND 64),
	action text NOT NULL CHECK (octet_length(action) BETWEEN 1 AND 64),
	title text NOT NULL CHECK (octet_length(title) BETWEEN 1 AND 256),
	inputs json NOT NULL,
	state text NOT NULL DEFAULT 'queued'
		CHECK (state IN ('queued', 'running', 'needs_sign_in', 'done', 'cancelled')),
	outcome text CHECK (outcome IN ('booked', 'waitlisted', 'full', 'too_early', 'no_credit', 'already_booked', 'limit',
		'unconfirmed', 'failed')),
	reason text,
	attempt bigint NOT NULL DEFAULT 0,
	starts integer NOT NULL DEFAULT 0,
	failures integer NOT NULL DEFAULT 0,
	due_at timestamptz NOT NULL DEFAULT now(),
	intent_at timestamptz,
	session_version bigint,
	last_line bigint NOT NULL DEFAULT 0,
	picture boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now(),
	finished_at timestamptz,
	CONSTRAINT bookings_key UNIQUE (user_id, key),
	CONSTRAINT bookings_outcome CHECK ((state = 'done') = (outcome IS NOT NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

COMMENT ON COLUMN jobs.bookings.starts IS 'attempts that got as far as a browser';
COMMENT ON COLUMN jobs.bookings.failures IS 'attempts in a row that came to nothing through nobody''s fault';
COMMENT ON COLUMN jobs.bookings.intent_at IS 'the act was about to be sent; from then on the site''s own list is asked first';
COMMENT ON COLUMN jobs.bookings.session_version IS 'needs_sign_in: the version of the session that has ended; 0: there was none';

CREATE INDEX bookings_due ON jobs.bookings (due_at, id) WHERE state IN ('queued', 'running');
CREATE INDEX bookings_of_user ON jobs.bookings (user_id, id);
CREATE INDEX bookings_waiting ON jobs.bookings (user_id, site) WHERE state = 'needs_sign_in';
CREATE INDEX bookings_next ON jobs.bookings (user_id, site, due_at, id) WHERE state = 'queued';

-- One at a time at a site for a person: they share one session, and one browser.
CREATE UNIQUE INDEX bookings_one_run ON jobs.bookings (user_id, site) WHERE state = 'running';

CREATE TABLE jobs.lines (
	booking_id bigint NOT NULL REFERENCES jobs.bookings ON DELETE CASCADE,
	n bigint NOT NULL CHECK (n > 0),
	user_id bigint NOT NULL,
	attempt bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	level text NOT NULL CHECK (level IN ('info', 'warning', 'error')),
	text text NOT NULL CHECK (octet_length(text) BETWEEN 1 AND 2048),
	PRIMARY KEY (booking_id, n)
);

CREATE TABLE jobs.pictures (
	booking_id bigint PRIMARY KEY REFERENCES jobs.bookings ON DELETE CASCADE,
	user_id bigint NOT NULL,
	attempt bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	jpeg bytea NOT NULL CHECK (octet_length(jpeg) BETWEEN 1 AND 8388608)
);
ALTER TABLE jobs.pictures ALTER COLUMN jpeg SET STORAGE EXTERNAL; -- JPEG does not compress

ALTER TABLE jobs.bookings ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.bookings FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.lines FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.pictures ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.pictures FORCE ROW LEVEL SECURITY;

-- Without a user in the transaction the comparison is NULL, and nothing is there.
CREATE POLICY own ON jobs.bookings TO stead_botd
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own ON jobs.lines TO stead_botd
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own ON jobs.pictures TO stead_botd
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY operator ON jobs.bookings FOR SELECT TO stead_operator USING (true);
CREATE POLICY operator ON jobs.lines FOR SELECT TO stead_operator USING (true);
CREATE POLICY claimer_sees ON jobs.bookings FOR SELECT TO stead_claimer USING (true);
CREATE POLICY claimer_claims ON jobs.bookings FOR UPDATE TO stead_claimer USING (true);

-- Whose a booking is, and what was asked for, cannot be changed: those columns are granted to nobody.
GRANT SELECT, INSERT ON jobs.bookings TO stead_botd;
GRANT UPDATE (state, outcome, reason, attempt, starts, failures, due_at, intent_at, session_version, last_line,
	picture, finished_at) ON jobs.bookings TO stead_botd;
GRANT SELECT, INSERT ON jobs.lines TO stead_botd;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.pictures TO stead_botd;
GRANT USAGE ON SEQUENCE jobs.booking_ids TO stead_botd;

GRANT SELECT ON jobs.bookings, jobs.lines TO stead_operator;

GRANT SELECT ON jobs.bookings TO stead_claimer;
GRANT UPDATE (state, reason, attempt, due_at) ON jobs.bookings TO stead_claimer;

-- Tells every botd that there is work (jobs_queue), and who watches a booking that something of it changed
-- (jobs_bookings, with its number).
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
