#include "botd/state.h"

#include "common/loop.h"

#define ANSWER_MS 8000 /* a caller would rather hear that the database is down than wait longer */
#define MARGIN_MS 500  /* for the answer's way back; above DB_GRACE_MS */

int64_t botd_deadline(const struct call *call)
{
	int64_t latest = deadline_in(ANSWER_MS);

	return call->deadline == NEVER ? latest : deadline_min(latest, call->deadline - MARGIN_MS);
}
