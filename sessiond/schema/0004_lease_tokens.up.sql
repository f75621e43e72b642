-- The token of a lease is given once, whichever session it is of. Counted by each session for itself it began anew where a session
-- was forgotten and another was made, so whoever still held the lease of the old one could pass for a holder of the new.
CREATE SEQUENCE vault.lease_tokens OWNED BY vault.sessions.lease_token;

-- The owner of the table is subject to its policies otherwise.
ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
SELECT setval('vault.lease_tokens', (SELECT COALESCE(max(lease_token), 0) + 1 FROM vault.sessions), false);
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN vault.sessions.lease_token IS 'of the last lease; 0: nobody has had one';
GRANT USAGE ON SEQUENCE vault.lease_tokens TO stead_sessiond;
