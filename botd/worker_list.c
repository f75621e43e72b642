/* The workers, and what each of them does. */
#include "botd/handlers.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/words.h"

#define MOST  256
#define WORDS 1024

static void worker_read(struct call *call, const struct db_result *row, struct worker_info *ret)
{
	*ret = (struct worker_info){ .id = row_int(row, "id"),
		.host = arena_strdup(call->arena, row_words(row, "host")),
		.pid = row_int(row, "pid"),
		.version = arena_strdup(call->arena, row_words(row, "version")),
		.started_at_ms = row_time(row, "started_at"),
		.beat_at_ms = row_time(row, "beat_at"),
		.silent = row_bool(row, "silent"),
		.leads = row_bool(row, "leads"),
		.jobs = arena_array(call->arena, MOST, sizeof(*ret->jobs)) };
}

static struct worker_info *find_worker(struct worker_list_result *result, int64_t id)
{
	for (size_t i = 0; i < result->workers_count; i++)
		if (result->workers[i].id == id)
			return &result->workers[i];
	return NULL;
}

/* As steadctl shows it in a row. */
static void put_in_words(struct call *call, struct worker_info *w)
{
	char *words = arena_alloc(call->arena, WORDS);

	*words = '\0';
	for (size_t i = 0; i < w->jobs_count; i++)
		words_add(words, WORDS, "%s%s %lld (%s)", i ? ", " : "", w->jobs[i].kind, (long long)w->jobs[i].id, w->jobs[i].queue);
	w->does = *words ? words : NULL;
}

static void add_job(struct call *call, const struct db_result *row, struct worker_info *w)
{
	if (!w || w->jobs_count == MOST)
		return;
	w->jobs[w->jobs_count++] = (struct worker_job){ .id = row_int(row, "id"),
		.kind = arena_strdup(call->arena, row_words(row, "kind")),
		.queue = arena_strdup(call->arena, row_words(row, "queue")),
		.user = row_int(row, "user_id"),
		.attempt = row_int(row, "attempt") };
}

int worker_list(struct call *call, const struct worker_list_params *, struct worker_list_result *result)
{
	CLEANUP(db_result_freep) struct db_result *workers = NULL;
	CLEANUP(db_result_freep) struct db_result *jobs = NULL;
	struct db *db = botd_of(call)->db;
	int r = db_read(db, DB_ROLE("stead_operator"), botd_deadline(call), &workers,
		"SELECT w.*, w.beat_at < now() - $1 * interval '1 ms' AS silent, "
		"EXISTS (SELECT FROM jobs.leader l WHERE l.worker = w.id AND l.until > now()) AS leads "
		"FROM jobs.workers w ORDER BY host, started_at LIMIT 256", DB_INT(botd_of(call)->settings->lease_ms));

	if (r == 0)
		r = db_read(db, DB_ROLE("stead_operator"), botd_deadline(call), &jobs,
			"SELECT id, kind, queue, user_id, attempt, worker FROM jobs.jobs WHERE state = 'running' ORDER BY id LIMIT 10000");
	if (r < 0)
		return r;
	result->workers = arena_array(call->arena, (size_t)db_rows(workers), sizeof(*result->workers));
	while (db_next(workers))
		worker_read(call, workers, &result->workers[result->workers_count++]);
	while (db_next(jobs))
		add_job(call, jobs, find_worker(result, row_int(jobs, "worker")));
	for (size_t i = 0; i < result->workers_count; i++)
		put_in_words(call, &result->workers[i]);
	return 0;
}
