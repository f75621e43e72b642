#include "sessiond/sessiond.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "common/worker.h"
#include "db/service.h"
#include "sessiond/change.h"
#include "sessiond/marks.h"

#define ANSWER_MS 5000 /* a caller would rather hear that the database is down than wait longer */
#define MARGIN_MS 500  /* for the answer's way back; above DB_GRACE_MS */
#define CHECK_MS  10000

int64_t sessiond_deadline(const struct call *call)
{
	int64_t most = deadline_in(ANSWER_MS);

	return call->deadline == NEVER ? most : deadline_min(most, call->deadline - MARGIN_MS);
}

/*
 * The largest state in the clear and packed, at once, twice over: one being saved, one being
 * fetched.
 */
static void warn_of_little_memory(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < 4ul * SESSION_MAX &&
		geteuid() != 0)
		log_warning("only %llu KiB may be locked in memory, so large sessions can be "
			    "neither saved nor opened; LimitMEMLOCK=256M (ulimit -l) lifts that",
			(unsigned long long)limit.rlim_cur / 1024);
}

static int protect_memory(void)
{
	int r = secret_init(SECRET_HEAP_DEFAULT);

	if (r < 0)
		log_error("cannot lock memory for keys, so they could end up on a disk: %s; raise "
			  "LimitMEMLOCK= in the unit (ulimit -l) to 256M",
			strerror(-r));
	else
		warn_of_little_memory();
	return r;
}

/* Makes the key file on the first start where the settings ask for it. */
static int make_key_file(const struct sessiond_settings *settings, char *why)
{
	int r;

	if (!settings->master_key_create || access(settings->master_key_file, F_OK) == 0)
		return 0;
	r = masterkey_create_file(settings->master_key_file, why);
	if (r == 0)
		log_notice("made a master key in %s; keep a copy elsewhere, for without it no "
			   "session can be opened",
			settings->master_key_file);
	return r == -EEXIST ? 0 : r;
}

static int load_keys(const struct sessiond_settings *settings, struct masterkeys **ret)
{
	const char *path = *settings->master_key_file ? settings->master_key_file
						      : getenv("CREDENTIALS_DIRECTORY");
	char why[MASTERKEY_WHY];
	int r = 0;

	if (!path) {
		log_error("there is no master key: give the unit LoadCredential=master-key:FILE, "
			  "or set master_key_file");
		return -ENOENT;
	}
	if (*settings->master_key_file)
		r = make_key_file(settings, why);
	if (r == 0)
		r = masterkeys_load(path, ret, why);
	if (r < 0)
		log_error("will not start without its master key: %s", why);
	return r;
}

static int open_marks(const struct sessiond_settings *settings, struct marks **ret)
{
	const char *path = *settings->state_dir ? settings->state_dir : getenv("STATE_DIRECTORY");
	char why[MARKS_WHY];
	int r;

	if (!path) {
		log_error("there is no directory for what sessiond remembers: give the unit StateDirectory=, or set state_dir");
		return -ENOENT;
	}
	r = marks_open(path, ret, why);
	if (r < 0)
		log_error("will not start: %s", why);
	return r;
}

static int sessiond_open_database(struct sessiond *s)
{
	s->database = (struct db_service){ .program = "sessiond",
		.conninfo = s->settings->database,
		.connections = s->settings->database_connections,
		.without = "nothing can be saved or opened" };
	return db_open(&s->database, &s->db);
}

static void check_keys(void *arg)
{
	struct sessiond *s = arg;
	int r;

	s->check_fiber = fiber_self();
	r = keycheck_run(&s->check, deadline_in(CHECK_MS));
	if (r < 0 && r != -ECANCELED)
		log_warning("could not check the master key yet, the next call will: %s",
			db_error(s->db)->text);
	s->check_fiber = NULL;
	s->checking = false;
}

/* The database is there, for the first time or again, or something was saved. */
static void noticed(const char *payload, void *arg)
{
	struct sessiond *s = arg;

	s->listening |= !payload;
	change_tell(s->hub, payload);
	if (!payload)
		upkeep_want(s);
	if (payload || s->checking)
		return;
	s->checking = true;
	fiber_start("key check", check_keys, s, NULL);
}

int sessiond_open(void *daemon, struct server *)
{
	struct sessiond *s = daemon;
	int r = protect_memory();

	s->hub = hub_new(sizeof(struct change), CHANGE_MOST);
	if (r == 0)
		r = load_keys(s->settings, &s->keys);
	if (r == 0)
		r = open_marks(s->settings, &s->marks);
	if (r == 0)
		r = sessiond_open_database(s);
	if (r < 0)
		return r;
	s->check = (struct keycheck){ .db = s->db, .keys = s->keys };
	r = worker_pool_new(CRYPT_THREADS, CRYPT_QUEUED, &s->crypt);
	if (r == 0)
		r = db_listen(s->db, CHANGE_CHANNEL, noticed, s);
	if (r < 0)
		log_error("cannot start: %s", strerror(-r));
	else
		upkeep_start(s);
	return r;
}

void sessiond_stop(void *daemon)
{
	hub_end(((struct sessiond *)daemon)->hub);
}

static void end_check(struct sessiond *s)
{
	while (s->checking) {
		fiber_cancel(s->check_fiber);
		loop_turn();
	}
}

void sessiond_close(void *daemon)
{
	struct sessiond *s = daemon;

	end_check(s);
	upkeep_end(s);
	db_free(s->db);
	worker_pool_free(s->crypt);
	keycheck_free(&s->check);
	hub_free(s->hub);
	masterkeys_free(s->keys);
	marks_free(s->marks);
}
