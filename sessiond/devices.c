#include "sessiond/devices.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

#define CLEAN_MS 20000
#define AT_ONCE  500

static int clean_some(struct sessiond *s, struct db_result **ret)
{
	return db_query(s->db, DB_ROLE("stead_rewrapper"), deadline_in(CLEAN_MS), ret,
		"DELETE FROM vault.sessions WHERE id IN (SELECT id FROM vault.sessions WHERE NOT protected "
		"AND used_at < now() - $1 * interval '1 day' AND (lease_until IS NULL OR lease_until < now()) "
		"ORDER BY used_at LIMIT $2) RETURNING id",
		DB_INT(s->settings->device_days), DB_INT(AT_ONCE));
}

int devices_clean(struct sessiond *s)
{
	int64_t gone = 0, some = AT_ONCE;
	int r = 0;

	while (r == 0 && some == AT_ONCE) {
		CLEANUP(db_result_freep) struct db_result *res = NULL;

		r = clean_some(s, &res);
		some = db_rows(res);
		gone += some;
		while (db_next(res))
			sighting_forget(s, row_int(res, "id"));
	}
	if (gone > 0)
		log_notice("%" PRId64 " sessions of devices were forgotten: nobody had used them for %" PRId64 " days", gone,
			s->settings->device_days);
	return r;
}
