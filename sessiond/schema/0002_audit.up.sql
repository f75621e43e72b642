-- To whom a session was handed out, and what steadctl did here. sessiond can add rows, never change or remove one, and reads
-- them only as stead_operator. It keeps its own audit, for it dials nothing but its database; a row is written in the
-- transaction that reads the session: no row, no session.

CREATE TABLE vault.audit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	event text NOT NULL CHECK (octet_length(event) BETWEEN 1 AND 64),
	user_id bigint CHECK (user_id > 0), -- whose session it is
	detail text CHECK (octet_length(detail) <= 512)
);

ALTER TABLE vault.audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.audit FORCE ROW LEVEL SECURITY;

CREATE POLICY adds ON vault.audit FOR INSERT TO stead_sessiond
	WITH CHECK (user_id IS NOT DISTINCT FROM NULLIF(current_setting('stead.user', true), '')::bigint);
CREATE POLICY operator ON vault.audit FOR SELECT TO stead_operator USING (true);

-- Neither its number nor its time is sessiond's to choose.
GRANT INSERT (event, user_id, detail) ON vault.audit TO stead_sessiond;
GRANT SELECT ON vault.audit TO stead_operator;
