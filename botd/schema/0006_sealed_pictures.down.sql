-- An older botd can show no picture that is sealed, so those go.
ALTER TABLE jobs.pictures NO FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.bookings NO FORCE ROW LEVEL SECURITY;
UPDATE jobs.bookings SET picture = false WHERE id IN (SELECT job_id FROM jobs.pictures WHERE NOT plain);
DELETE FROM jobs.pictures WHERE NOT plain;
ALTER TABLE jobs.bookings FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.pictures FORCE ROW LEVEL SECURITY;

DROP POLICY operator ON jobs.pictures;
REVOKE SELECT (job_id, user_id) ON jobs.pictures FROM stead_operator;
DROP INDEX jobs.pictures_plain;
ALTER TABLE jobs.pictures
	DROP CONSTRAINT pictures_kept,
	DROP COLUMN plain,
	DROP COLUMN sealed,
	ALTER COLUMN jpeg SET NOT NULL;
