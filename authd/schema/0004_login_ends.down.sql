DROP TRIGGER tell_login_ended ON logins;
DROP FUNCTION tell_login_ended();
