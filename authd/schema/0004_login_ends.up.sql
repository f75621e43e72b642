-- A login that ends is told to every authd once that is committed, whatever ended it: its person, a reset, the clock, or that
-- its account is gone.

CREATE FUNCTION tell_login_ended() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM pg_notify('authd_login_ended', OLD.name);
	RETURN NULL;
END
$$;

CREATE TRIGGER tell_login_ended AFTER DELETE ON logins FOR EACH ROW EXECUTE FUNCTION tell_login_ended();
