-- Once an act may have been sent, only its person sends it again. Until then a booking goes on as one that looks for itself
-- in the site's own list, again and again; what it has seen there, and when, is kept, for that is what its person is told.

ALTER TABLE jobs.bookings
	ADD COLUMN again boolean NOT NULL DEFAULT false,
	ADD COLUMN looks integer NOT NULL DEFAULT 0,
	ADD COLUMN look_until timestamptz,
	ADD COLUMN answer text CHECK (octet_length(answer) BETWEEN 1 AND 512),
	ADD COLUMN list_read_at timestamptz,
	ADD COLUMN list_trouble text CHECK (octet_length(list_trouble) BETWEEN 1 AND 512),
	ADD COLUMN told boolean NOT NULL DEFAULT false,
	ADD COLUMN step integer,
	ADD COLUMN steps integer;

COMMENT ON COLUMN jobs.bookings.intent_at IS 'the act was about to be sent; from then on it is only looked for, unless "again"';
COMMENT ON COLUMN jobs.bookings.again IS 'its person wants it sent although it may have been sent before';
COMMENT ON COLUMN jobs.bookings.looks IS 'how often the list was asked since it may have been sent';
COMMENT ON COLUMN jobs.bookings.look_until IS 'until when it is; then it is unconfirmed';
COMMENT ON COLUMN jobs.bookings.answer IS 'what the site answered to the act';
COMMENT ON COLUMN jobs.bookings.list_read_at IS 'when the list was last read without it';
COMMENT ON COLUMN jobs.bookings.list_trouble IS 'why it could not be read since';
COMMENT ON COLUMN jobs.bookings.told IS 'its person has said whether it happened';

-- "held" said of some what now goes for all. The owner of the table is subject to its policies otherwise.
ALTER TABLE jobs.bookings NO FORCE ROW LEVEL SECURITY;
UPDATE jobs.bookings SET look_until = clock_timestamp() + interval '4 min'
	WHERE intent_at IS NOT NULL AND state IN ('queued', 'running', 'needs_sign_in');
ALTER TABLE jobs.bookings FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.bookings DROP COLUMN held;

GRANT UPDATE (again, looks, look_until, answer, list_read_at, list_trouble, told, step, steps) ON jobs.bookings TO stead_botd;
GRANT UPDATE (looks, step, steps) ON jobs.bookings TO stead_claimer;
