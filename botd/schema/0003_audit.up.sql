-- What steadctl did to people's bookings. botd can add rows, never change or remove one, and reads them only as stead_operator.

CREATE TABLE jobs.audit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	event text NOT NULL CHECK (octet_length(event) BETWEEN 1 AND 64),
	detail text CHECK (octet_length(detail) <= 512)
);

-- Neither its number nor its time is botd's to choose.
GRANT INSERT (event, detail) ON jobs.audit TO stead_botd;
GRANT SELECT ON jobs.audit TO stead_operator;
