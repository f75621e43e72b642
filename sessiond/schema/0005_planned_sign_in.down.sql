-- What was planned needs its person as before. The owner of the table is subject to its policies otherwise.
ALTER TABLE vault.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE vault.sessions SET health = 'needs_sign_in' WHERE health = 'planned_sign_in';
ALTER TABLE vault.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE vault.sessions DROP CONSTRAINT sessions_health_check;
ALTER TABLE vault.sessions
	ADD CONSTRAINT sessions_health_check CHECK (health IN ('working', 'unproved', 'site_down', 'needs_sign_in', 'wrong_account',
		'not_portable'));
