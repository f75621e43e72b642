DROP TABLE devices;
DROP TABLE logins;
DROP TABLE users;
