-- Envelopes of format 2 (sessiond/envelope.h), which are bound to the account and to the time of the proof as well. What is there is
-- sealed anew by sessiond, row by row, while it serves; then format 1 is taken no more.
--
-- proved_at is when the site last showed that the session works; proof_at is when the proved state was proved, to which its envelope
-- is bound.

ALTER TABLE vault.sessions
	ADD COLUMN format smallint NOT NULL DEFAULT 1 CHECK (format IN (1, 2)),
	ADD COLUMN proof_at timestamptz;
COMMENT ON COLUMN vault.sessions.format IS 'the older one of its states'' formats; what counts is what the envelopes themselves say';
COMMENT ON COLUMN vault.sessions.proof_at IS 'when the proved state was proved, as its envelope is bound to';

-- What an older sessiond has left alone is of format 2 already. The owner of the table is subject to its policies otherwise.
ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE vault.sessions SET proof_at = proved_at, format = CASE WHEN substring(envelope FROM 1 FOR 4) = '\x53544502'
	AND COALESCE(substring(newest_envelope FROM 1 FOR 4), '\x53544502') = '\x53544502' THEN 2 ELSE 1 END;
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE vault.sessions ALTER COLUMN proof_at SET NOT NULL;
CREATE INDEX sessions_format_1 ON vault.sessions (id) WHERE format = 1;

GRANT UPDATE (format, proof_at) ON vault.sessions TO stead_sessiond;
GRANT SELECT (format, proof_at) ON vault.sessions TO stead_operator;
GRANT SELECT (account, format, proof_at, lease_until) ON vault.sessions TO stead_rewrapper;
GRANT UPDATE (format) ON vault.sessions TO stead_rewrapper;
