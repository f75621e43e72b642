-- Takes the vault away with all that is in it: every person signs in to every site again.
DROP TABLE vault.saves;
DROP TABLE vault.sessions;
DROP FUNCTION vault.tell_change();
DROP TABLE vault.key_checks;
