-- A plan asks for an action of a site's recipe by itself: on days of the week, at times of the day, as the clock at the site shows them.
-- Each such instant is dealt with once, whatever is down meanwhile, and what became of it stands in the plan's own history.
--
-- next_at is the first instant that has not been dealt with. It only moves on in the transaction that writes what became of those
-- before, under the lock of the plan's row; so neither a restart, nor a second botd, nor a clock that is set back makes a run again.

CREATE TABLE jobs.plans (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL CHECK (user_id > 0),
	key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 64),
	site text NOT NULL CHECK (octet_length(site) BETWEEN 1 AND 64),
	action text NOT NULL CHECK (octet_length(action) BETWEEN 1 AND 64),
	title text NOT NULL CHECK (octet_length(title) BETWEEN 1 AND 256),
	inputs json NOT NULL,
	time_zone text NOT NULL CHECK (octet_length(time_zone) BETWEEN 1 AND 64),
	days smallint[] NOT NULL CHECK (cardinality(days) BETWEEN 1 AND 7 AND days <@ '{1,2,3,4,5,6,7}'),
	times time[] NOT NULL CHECK (cardinality(times) BETWEEN 1 AND 24),
	first_day date NOT NULL CHECK (isfinite(first_day)),
	last_day date CHECK (isfinite(last_day) AND last_day >= first_day),
	missed text NOT NULL CHECK (missed IN ('run_late', 'skip', 'tell')),
	skips date[] NOT NULL DEFAULT '{}' CHECK (cardinality(skips) <= 100),
	paused_until timestamptz NOT NULL DEFAULT '-infinity',
	next_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT plans_key UNIQUE (user_id, key)
) WITH (fillfactor = 70);

COMMENT ON COLUMN jobs.plans.key IS 'name of the request, made by whoever asked';
COMMENT ON COLUMN jobs.plans.inputs IS 'the action''s; a date may be "+14": the day that is so many days after the run''s';
COMMENT ON COLUMN jobs.plans.days IS 'of the week, 1 is Monday';
COMMENT ON COLUMN jobs.plans.last_day IS 'the same as the first: it runs once; NULL: without an end';
COMMENT ON COLUMN jobs.plans.missed IS 'what happens to an instant that passed while nobody saw to it';
COMMENT ON COLUMN jobs.plans.skips IS 'days of runs that are left out';
COMMENT ON COLUMN jobs.plans.paused_until IS 'instants before are not run; infinity: until somebody says so';
COMMENT ON COLUMN jobs.plans.next_at IS 'the first instant that has not been dealt with; NULL: there is none any more';

CREATE INDEX plans_due ON jobs.plans (next_at, id) WHERE next_at IS NOT NULL;

CREATE TABLE jobs.plan_runs (
	plan_id bigint NOT NULL REFERENCES jobs.plans ON DELETE CASCADE,
	at timestamptz NOT NULL,
	user_id bigint NOT NULL,
	day date NOT NULL,
	became text NOT NULL CHECK (became IN ('asked', 'late', 'missed', 'skipped', 'paused', 'overlap', 'refused')),
	reason text CHECK (octet_length(reason) BETWEEN 1 AND 1024),
	job_id bigint REFERENCES jobs.jobs ON DELETE SET NULL,
	written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (plan_id, at)
);
COMMENT ON TABLE jobs.plan_runs IS 'what became of each instant of a plan';
COMMENT ON COLUMN jobs.plan_runs.day IS 'the run''s day at the site';

CREATE INDEX plan_runs_job ON jobs.plan_runs (job_id) WHERE job_id IS NOT NULL;

-- When somebody last saw to the plans, and when nobody did before: from that a person is told why a run was missed.
CREATE TABLE jobs.plan_clock (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	down_from timestamptz,
	down_until timestamptz
) WITH (fillfactor = 10);
INSERT INTO jobs.plan_clock DEFAULT VALUES;

-- The first instants of a plan after since, at most so many. shift: what the clocks at the site do to one. A time that they leave out
-- (gap) is at the same distance after the gap's start, which is how PostgreSQL reads it; of one that they show twice (doubled)
-- PostgreSQL takes the second, and a plan the first, once: that which goes by the offset of a day before. Two times that a gap brings
-- to the same instant are one.
CREATE FUNCTION jobs.plan_instants(days smallint[], times time[], first_day date, last_day date, zone text, since timestamptz, most integer)
	RETURNS TABLE (at timestamptz, day date, shift text) LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
	WITH bounds AS (SELECT greatest(first_day, (since AT TIME ZONE zone)::date - 1) AS first),
	walls AS (SELECT d::date AS day, d + t AS wall, (d + t) AT TIME ZONE zone AS second
		FROM bounds CROSS JOIN generate_series(bounds.first::timestamp,
			least(last_day, bounds.first + 7 * (most / cardinality(times) + 2))::timestamp, interval '1 day') d
		CROSS JOIN unnest(times) t WHERE extract(isodow FROM d) = ANY (days)),
	shown AS (SELECT w.day, w.wall, w.second, w.wall AT TIME ZONE 'UTC' - ((w.second - interval '24 h') AT TIME ZONE zone
		- (w.second - interval '24 h') AT TIME ZONE 'UTC') AS first FROM walls w),
	told AS (SELECT s.day, CASE WHEN s.first < s.second AND s.first AT TIME ZONE zone = s.wall THEN s.first ELSE s.second END AS at,
		CASE WHEN s.first < s.second AND s.first AT TIME ZONE zone = s.wall THEN 'doubled'
			WHEN s.second AT TIME ZONE zone <> s.wall THEN 'gap' END AS shift FROM shown s)
	SELECT DISTINCT ON (t.at) t.at, t.day, t.shift FROM told t WHERE t.at > since ORDER BY t.at, t.shift NULLS FIRST LIMIT most
$$;

-- Tells every botd of instants that are sooner than those it knows of.
CREATE FUNCTION jobs.tell_plan() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM pg_notify('jobs_plans', '');
	RETURN NULL;
END
$$;
CREATE TRIGGER tell_plan AFTER INSERT ON jobs.plans FOR EACH ROW EXECUTE FUNCTION jobs.tell_plan();
CREATE TRIGGER tell_plan_sooner AFTER UPDATE OF next_at ON jobs.plans
	FOR EACH ROW WHEN (NEW.next_at < coalesce(OLD.next_at, 'infinity')) EXECUTE FUNCTION jobs.tell_plan();

ALTER TABLE jobs.plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.plans FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.plan_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.plan_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON jobs.plans TO stead_botd
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY own ON jobs.plan_runs TO stead_botd
	USING (user_id = NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY operator ON jobs.plans FOR SELECT TO stead_operator USING (true);
CREATE POLICY operator ON jobs.plan_runs FOR SELECT TO stead_operator USING (true);
CREATE POLICY claimer_sees ON jobs.plans FOR SELECT TO stead_claimer USING (true);

-- Whoever looks what is due sees whose it is and when, and nothing else; it is dealt with as that person.
GRANT SELECT (id, user_id, next_at) ON jobs.plans TO stead_claimer;
GRANT SELECT, INSERT, DELETE ON jobs.plans TO stead_botd;
GRANT UPDATE (title, inputs, time_zone, days, times, first_day, last_day, missed, skips, paused_until, next_at) ON jobs.plans TO stead_botd;
GRANT SELECT, INSERT, DELETE ON jobs.plan_runs TO stead_botd; -- DELETE: of those that are too old to be told
GRANT SELECT ON jobs.plan_clock TO stead_botd, stead_claimer;
GRANT UPDATE (seen_at, down_from, down_until) ON jobs.plan_clock TO stead_claimer;
GRANT SELECT ON jobs.plans, jobs.plan_runs TO stead_operator;
GRANT EXECUTE ON FUNCTION jobs.plan_instants(smallint[], time[], date, date, text, timestamptz, integer) TO stead_botd, stead_operator;
GRANT EXECUTE ON FUNCTION jobs.tell_plan() TO stead_botd;
