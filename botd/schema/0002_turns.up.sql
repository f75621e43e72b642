-- Whose turn it is: workers claim in turn, between persons and then between a person's sites, so that nobody's many
-- bookings keep another's one waiting. And a try whose lease ran out counts like any other: the claim that finds it so
-- says it, for whoever had it cannot.

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
GRANT UPDATE (failures) ON jobs.bookings TO stead_claimer;

COMMENT ON COLUMN jobs.bookings.failures IS 'attempts in a row that came to nothing through nobody''s fault, or whose lease ran out';

ALTER TABLE jobs.bookings ADD COLUMN held boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN jobs.bookings.held IS 'the act may have been sent, then a write was refused: the site''s own list may settle it, but it is not sent again';
GRANT UPDATE (held) ON jobs.bookings TO stead_botd;
