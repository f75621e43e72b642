-- What is sealed in format 2 stays, but an older sessiond cannot open it: whoever has such a session signs in again, which replaces it.
-- If none has by then, a newer sessiond opens it as before; so the time of the proof stays where that finds it.
ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE vault.sessions SET proved_at = proof_at, health = 'needs_sign_in',
	reason = 'This session was saved by a newer version of Stead; sign in to the site again.' WHERE format = 2;
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;
REVOKE SELECT (account) ON vault.sessions FROM stead_rewrapper;
DROP INDEX vault.sessions_format_1;
ALTER TABLE vault.sessions
	DROP COLUMN format,
	DROP COLUMN proof_at;
