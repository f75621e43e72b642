DROP TABLE jobs.audit;
