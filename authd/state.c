#include "authd/state.h"

#include <errno.h>
#include <stdbool.h>

#include "common/log.h"
#include "common/loop.h"
#include "db/db.h"

#define DB_PATIENCE_MS 5000 /* no statement of authd's takes long */
#define DB_RESTART_MS  2000
#define DB_DOWN_MS     100

int64_t authd_db_deadline(const struct authd *a, int64_t deadline)
{
	struct db_status s;
	bool down;

	db_status(a->db, &s);
	down = s.down_since && wall_now() - s.down_since > DB_RESTART_MS;
	return deadline_min(deadline, deadline_in(down ? DB_DOWN_MS : DB_PATIENCE_MS));
}

int authd_db_failed(const struct authd *a, const char *what, int r)
{
	const struct db_error *why = db_error(a->db);

	if (r < 0 && r == why->code && r != -ENOTCONN && r != -ECANCELED && r != -EEXIST)
		log_error("%s failed: %s", what, why->text);
	return r;
}
