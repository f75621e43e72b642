#include "db/service.h"

#include "common/daemon.h"
#include "common/log.h"
#include "db/remark.h"

static void on_changed(bool up, const char *why, void *arg)
{
	const struct db_service *s = arg;

	if (up) {
		log_notice("the database answers");
		daemon_status("ready");
	} else {
		log_warning("the database does not answer, so %s: %s", s->without, why);
		daemon_status("waiting for the database: %s", why);
	}
	if (s->changed)
		s->changed(up, s->arg);
}

int db_open(const struct db_service *s, struct db **ret)
{
	const struct db_config config = { .conninfo = s->conninfo,
		.size = (unsigned)s->connections,
		.application_name = s->program,
		.changed = on_changed,
		.arg = (void *)s };
	char remark[1024];
	int r = db_new(&config, ret);

	if (db_remark(s->conninfo, daemon_setting_file("database"), remark, sizeof(remark)))
		log_warning("%s", remark);
	if (r < 0)
		log_error("the setting database is not what libpq understands; it takes, for example, \"host=/run/postgresql dbname=stead user=stead_%s\"",
			s->program);
	return r;
}
