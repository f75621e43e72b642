-- Plans go, with their history; the bookings that they have asked for stay.
DROP TABLE jobs.plan_runs, jobs.plans, jobs.plan_clock;
DROP FUNCTION jobs.plan_instants(smallint[], time[], date, date, text, timestamptz, integer), jobs.tell_plan();
