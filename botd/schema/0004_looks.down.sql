-- A botd that knows nothing of looks would send an act a second time, so whatever only looks is held for it. What its person
-- wants sent again is not: that is what such a botd does by itself, once it has read the list.
ALTER TABLE jobs.bookings ADD COLUMN held boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN jobs.bookings.held IS 'the act may have been sent, then a write was refused: the site''s own list may settle it, but it is not sent again';
GRANT UPDATE (held) ON jobs.bookings TO stead_botd;

ALTER TABLE jobs.bookings NO FORCE ROW LEVEL SECURITY;
UPDATE jobs.bookings SET held = true
	WHERE intent_at IS NOT NULL AND NOT again AND state IN ('queued', 'running', 'needs_sign_in');
ALTER TABLE jobs.bookings FORCE ROW LEVEL SECURITY;

REVOKE UPDATE (looks, step, steps) ON jobs.bookings FROM stead_claimer;
ALTER TABLE jobs.bookings
	DROP COLUMN again,
	DROP COLUMN looks,
	DROP COLUMN look_until,
	DROP COLUMN answer,
	DROP COLUMN list_read_at,
	DROP COLUMN list_trouble,
	DROP COLUMN told,
	DROP COLUMN step,
	DROP COLUMN steps;
COMMENT ON COLUMN jobs.bookings.intent_at IS 'the act was about to be sent; from then on the site''s own list is asked first';
