/*
 * The picture of the page where a booking failed, which shows what the person would see: so it is sealed by the vault for
 * that person and job, and botd keeps what it cannot open itself.
 */
#include "botd/picture.h"

#include <errno.h>
#include <fcntl.h>

#include "botd/booking.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "proto/sessiond.h"

#define SEAL_MS     5000
#define SEALED_MOST 8404992 /* as in proto/sessiond.def */

int picture_seal_for(struct call *call, int64_t job, int picture, struct memfd_view *ret)
{
	const struct picture_seal_params params = { .job = job, .picture = picture };
	struct picture_seal_result result;
	int r = call_picture_seal(call, botd_of(call)->vault, &params, &result);

	return r < 0 ? r : memfd_map(result.sealed, SEALED_MOST, ret);
}

enum job_result picture_keep(struct botd *b, struct job *j, int picture)
{
	const struct acting owner = { .user = j->user, .name = "botd", .scopes = SCOPES_PERSON };
	CLEANUP(call_freep) struct call *call = call_new(b, &owner, deadline_in(SEAL_MS));
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	int r = picture_seal_for(call, j->id, picture, &view);

	if (r == 0)
		return job_picture(j, view.data, view.size);
	if (r != -ECANCELED)
		log_warning("the picture of booking %lld is not kept, for the vault did not seal it: %s", (long long)j->id, call_cause(call, r));
	return JOB_REFUSED;
}

static int read_picture(struct call *call, const struct booking_picture_params *params, struct db_result **ret)
{
	return db_read(botd_of(call)->db, DB_USER(call->acting.user), botd_deadline(call), ret,
		"SELECT COALESCE(p.sealed, p.jpeg) AS kept, p.plain FROM jobs.pictures p JOIN jobs.bookings b ON b.id = p.job_id "
		"WHERE p.job_id = $1 AND b.picture AND ($2::bigint = 0 OR b.starts = $2)", DB_INT(params->id), DB_INT(params->attempt));
}

/* As it is kept, in a memfd: plain if it is of an older Stead, and has not been sealed yet (plain.c). */
static int kept_picture(const struct db_result *row, int *ret_fd)
{
	size_t n = 0;
	const void *kept = row_bytes(row, "kept", &n);

	return memfd_new("picture", kept, n, ret_fd);
}

static int open_picture(struct call *call, int64_t id, int sealed, int *ret_fd)
{
	const struct picture_open_params params = { .job = id, .sealed = sealed };
	struct picture_open_result result;
	int r = call_picture_open(call, botd_of(call)->vault, &params, &result);

	if (r < 0)
		return r;
	*ret_fd = fcntl(result.picture, F_DUPFD_CLOEXEC, 0); /* the call's own is closed with the call */
	return *ret_fd < 0 ? -errno : 0;
}

int booking_picture(struct call *call, const struct booking_picture_params *params,
	struct booking_picture_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	CLEANUP(closep) int kept = -1;
	int r = read_picture(call, params, &res);

	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(call, ERR_not_found, "id", "There is no picture of booking %lld, or it is not yours.",
			(long long)params->id);
	r = kept_picture(res, &kept);
	if (r == 0 && row_bool(res, "plain"))
		result->body = TAKE_FD(kept);
	else if (r == 0)
		r = open_picture(call, params->id, kept, &result->body);
	return r;
}
