#include "botd/plain.h"

#include <errno.h>

#include "botd/picture.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pause.h"

#define DB_MS      10000
#define SEAL_MS    15000
#define AGAIN_MS   1000
#define LONGEST_MS 60000

/* Whose it is may be seen of all persons' pictures; what is in it, of that person's alone. */
static int plain_next(struct botd *b, struct db_result **ret)
{
	return db_read(b->db, DB_ROLE("stead_operator"), deadline_in(DB_MS), ret,
		"SELECT job_id, user_id FROM jobs.pictures WHERE plain ORDER BY job_id LIMIT 1");
}

static int plain_read(struct botd *b, int64_t user, int64_t job, struct db_result **ret)
{
	return db_read(b->db, DB_USER(user), deadline_in(DB_MS), ret,
		"SELECT jpeg, attempt FROM jobs.pictures WHERE job_id = $1 AND plain", DB_INT(job));
}

/* In the place of what was read; another that was taken meanwhile is sealed already. */
static int plain_replace(struct botd *b, int64_t user, int64_t job, int64_t attempt, const struct memfd_view *sealed)
{
	return db_query(b->db, DB_USER(user), deadline_in(DB_MS), NULL,
		"UPDATE jobs.pictures SET sealed = $3, jpeg = NULL WHERE job_id = $1 AND attempt = $2 AND plain", DB_INT(job),
		DB_INT(attempt), DB_BYTES(sealed->data, sealed->size));
}

static int plain_seal(struct botd *b, int64_t user, int64_t job)
{
	const struct acting owner = { .user = user, .name = "botd", .scopes = SCOPES_PERSON };
	CLEANUP(call_freep) struct call *call = call_new(b, &owner, deadline_in(SEAL_MS));
	CLEANUP(db_result_freep) struct db_result *row = NULL;
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	CLEANUP(closep) int picture = -1;
	const void *jpeg;
	size_t n = 0;
	int e = plain_read(b, user, job, &row);

	if (e < 0 || !db_next(row))
		return e;
	jpeg = row_bytes(row, "jpeg", &n);
	e = memfd_new("picture", jpeg, n, &picture);
	if (e == 0)
		e = picture_seal_for(call, job, picture, &view);
	return e < 0 ? e : plain_replace(b, user, job, row_int(row, "attempt"), &view);
}

/* -ENODATA: there is none any more. */
static int plain_one(struct botd *b)
{
	CLEANUP(db_result_freep) struct db_result *row = NULL;
	int e = plain_next(b, &row);

	if (e < 0)
		return e;
	return db_next(row) ? plain_seal(b, row_int(row, "user_id"), row_int(row, "job_id")) : -ENODATA;
}

void plain_run(void *botd)
{
	int64_t pause = AGAIN_MS, count = 0;
	int e = 0;

	while (e != -ENODATA && e != -ECANCELED) {
		e = plain_one(botd);
		count += e == 0;
		if (e == 0 || e == -ENODATA || e == -ECANCELED)
			continue;
		if (pause == AGAIN_MS)
			log_notice("pictures of failures that an older Stead has kept unsealed are sealed later: the vault or the database is away");
		e = fiber_sleep_until(deadline_in(pause));
		pause = pause_longer(pause, LONGEST_MS);
	}
	if (count > 0)
		log_info("sealed %lld pictures of failures that an older Stead has kept as they were", (long long)count);
}
