-- Failed sign-ins, counted per account, address and known device (authd/throttle.h). Kept here so that restarting
-- authd forgives nobody. A bucket's key is a hash: people type passwords where the name belongs.

CREATE TABLE throttle (
	bucket bytea PRIMARY KEY CHECK (octet_length(bucket) = 32),
	failures bigint NOT NULL DEFAULT 0,
	since timestamptz NOT NULL DEFAULT now(),  -- when the first of them was
	strikes bigint NOT NULL DEFAULT 0,         -- how often it was blocked
	blocked_until timestamptz NOT NULL DEFAULT '-infinity',
	told boolean NOT NULL DEFAULT false,       -- the present block has its audit row
	touched_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX throttle_touched ON throttle (touched_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON throttle TO stead_authd;
