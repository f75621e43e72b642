-- Each session counts the tokens of its leases again, from where they are.
DROP SEQUENCE vault.lease_tokens;
COMMENT ON COLUMN vault.sessions.lease_token IS NULL;
