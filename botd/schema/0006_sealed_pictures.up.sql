-- Pictures of failures are sealed by the vault: what stands here botd cannot open itself. Those that there are plain botd seals one by
-- one (botd/plain.c), and shows them meanwhile.
ALTER TABLE jobs.pictures
	ALTER COLUMN jpeg DROP NOT NULL,
	ADD COLUMN sealed bytea CHECK (octet_length(sealed) BETWEEN 1 AND 8404992),
	ADD COLUMN plain boolean NOT NULL GENERATED ALWAYS AS (jpeg IS NOT NULL) STORED,
	ADD CONSTRAINT pictures_kept CHECK (num_nonnulls(jpeg, sealed) = 1);
ALTER TABLE jobs.pictures ALTER COLUMN sealed SET STORAGE EXTERNAL; -- what is encrypted does not compress
COMMENT ON COLUMN jobs.pictures.jpeg IS 'as an older botd has kept it';

CREATE INDEX pictures_plain ON jobs.pictures (job_id) WHERE plain;
CREATE POLICY operator ON jobs.pictures FOR SELECT TO stead_operator USING (true);
GRANT SELECT (job_id, user_id, plain) ON jobs.pictures TO stead_operator;
