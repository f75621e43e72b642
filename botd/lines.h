/* The lines of bookings' logs. */
#pragma once

#include "botd/handlers.h"
#include "db/db.h"
#include "proto/call.h"

/* The lines after a number, at most limit; the call's arena. */
int lines_read(struct call *call, struct db_who who, int64_t booking, int64_t after, int64_t limit,
	struct arena *arena, struct log_line **ret, size_t *ret_count);
