/*
 * A database that was really restored from a backup: its rows are older than what was seen of them, and the administrator
 * says that they are good all the same.
 */
#include <errno.h>
#include <inttypes.h>

#include "common/log.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

static int accept_row(struct sessiond *s, const struct db_result *row, void *arg)
{
	struct vault_accept_restore_result *result = arg;
	const struct sight seen = sighting_of(row);
	bool good = true;
	int r = marks_judge(s->marks, &seen, &good);

	if (r == 0 && row_int(row, "format") < marks_oldest_format(s->marks))
		r = marks_set_oldest_format(s->marks, 1); /* until they have been sealed anew */
	if (r == 0)
		r = marks_accept(s->marks, &seen);
	if (r == -ERANGE)
		return 0;
	result->accepted += !good;
	return r;
}

int vault_accept_restore(struct call *call, const struct vault_accept_restore_params *,
	struct vault_accept_restore_result *result)
{
	struct sessiond *s = sessiond_of(call);
	int r = sighting_each(s, accept_row, result);

	if (r == 0)
		r = marks_untell(s->marks);
	if (r < 0)
		return r;
	log_notice("what the database holds was accepted as restored by the administrator: %" PRId64 " sessions are older than was seen",
		result->accepted);
	upkeep_want(s);
	return 0;
}
