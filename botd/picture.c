/* The picture of the page where a booking failed. */
#include "botd/booking.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/memfd.h"

int booking_picture(struct call *call, const struct booking_picture_params *params,
	struct booking_picture_result *result)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	const void *jpeg;
	size_t n = 0;
	int r = db_read(botd_of(call)->db, DB_USER(call->acting.user), botd_deadline(call), &res,
		"SELECT p.jpeg FROM jobs.pictures p JOIN jobs.bookings b ON b.id = p.job_id "
		"WHERE p.job_id = $1 AND b.picture AND ($2::bigint = 0 OR b.starts = $2)", DB_INT(params->id), DB_INT(params->attempt));

	if (r < 0)
		return r;
	if (!db_next(res))
		return call_refuse(call, ERR_not_found, "id", "There is no picture of booking %lld, or it is not yours.",
			(long long)params->id);
	jpeg = row_bytes(res, "jpeg", &n);
	return memfd_new("picture", jpeg, n, &result->body);
}
