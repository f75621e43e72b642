DROP TABLE vault.audit;
