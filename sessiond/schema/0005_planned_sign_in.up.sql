-- A session whose sign-in is planned: it is not well, and its person has said when they will be there.
ALTER TABLE vault.sessions DROP CONSTRAINT sessions_health_check;
ALTER TABLE vault.sessions
	ADD CONSTRAINT sessions_health_check CHECK (health IN ('working', 'unproved', 'site_down', 'needs_sign_in', 'wrong_account',
		'not_portable', 'planned_sign_in'));
