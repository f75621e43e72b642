#include "botd/botd.h"

#include <stdlib.h>
#include <string.h>

#include "botd/audit.h"
#include "botd/closing.h"
#include "botd/dispatch.h"
#include "botd/held.h"
#include "botd/outage.h"
#include "botd/resume.h"
#include "botd/state.h"
#include "botd/worker.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/loop.h"
#include "proto/server.h"

#define DRAIN_MS 4000
#define OUTAGE_OLD_MS 3600000

static void database_changed(bool up, void *arg)
{
	((struct botd *)arg)->database_away = !up;
}

static void tell_work(const char *payload, void *arg)
{
	struct botd *b = arg;

	(void)payload;
	hub_miss(b->work);
}

/* NULL: something may have been missed, so everybody looks. */
static void tell_news(const char *payload, void *arg)
{
	struct botd *b = arg;

	if (payload)
		hub_tell(b->news, payload, NULL);
	else
		hub_miss(b->news);
}

static int open_database(struct botd *b)
{
	int r;

	b->database = (struct db_service){ .program = "botd",
		.conninfo = b->settings->database,
		.connections = b->settings->database_connections,
		.without = "no booking can be taken or worked off",
		.changed = database_changed,
		.arg = b };
	r = db_open(&b->database, &b->db);
	if (r < 0)
		return r;
	r = db_listen(b->db, "jobs_queue", tell_work, b);
	if (r == 0)
		r = db_listen(b->db, "jobs_bookings", tell_news, b);
	if (r < 0)
		log_error("cannot start: %s", strerror(-r));
	return r;
}

void botd_load_recipes(struct botd *b)
{
	struct recipe_set *before = b->recipes;

	b->recipes = recipe_load_dirs(b->settings->recipes, before);
	recipe_set_free(before);
	for (size_t i = 0; i < recipe_trouble_count(b->recipes); i++)
		log_warning("not every recipe is in force: %s", recipe_trouble(b->recipes, i));
	log_info("%zu recipes", recipe_count(b->recipes));
}

int botd_new(const struct botd_settings *settings, struct botd **ret)
{
	CLEANUP(botd_freep) struct botd *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		abort();
	b->settings = settings;
	b->work = hub_new(0, 1);
	b->news = hub_new(0, 1);
	b->closed = hub_new(0, 1);
	b->closings = closings_new(b->closed);
	b->outages = outages_new(OUTAGE_OLD_MS);
	b->doubted = held_new();
	b->put_off = held_new();
	b->cut_off = held_new();
	botd_load_recipes(b);
	r = open_database(b);
	if (r < 0)
		return r;
	b->vault = peer_to("botd", "sessiond", "bot");
	b->screen = peer_to("botd", "streamd", "bot");
	b->server = server_new("botd", botd_dispatch, b);
	server_on_act(b->server, botd_audit_act);
	*ret = TAKE(b);
	return 0;
}

int botd_listen(struct botd *b, const char *name, enum role role, const char *user)
{
	return server_listen_named(b->server, name, role, user);
}

void botd_start(struct botd *b)
{
	for (int64_t i = 0; i < b->settings->workers; i++)
		b->workers[i] = worker_start(b, (unsigned)i + 1);
	b->resume = resume_start(b);
}

/* The workers first, then what is still being closed, for they save sessions; all at once, for each may take seconds. */
void botd_stop(void *arg)
{
	struct botd *b = arg;

	b->stopping = true;
	hub_end(b->work);
	hub_end(b->news);
	hub_end(b->closed);
	for (int64_t i = 0; i < b->settings->workers; i++)
		worker_cancel(b->workers[i]);
	for (int64_t i = 0; i < b->settings->workers; i++)
		b->workers[i] = worker_end(b->workers[i]);
	closings_wait(b->closings);
	b->resume = resume_end(b->resume);
	server_drain(b->server, deadline_in(DRAIN_MS));
}

struct botd *botd_free(struct botd *b)
{
	if (!b)
		return NULL;
	server_free(b->server);
	peer_free(b->vault);
	peer_free(b->screen);
	db_free(b->db);
	recipe_set_free(b->recipes);
	hub_free(b->work);
	hub_free(b->news);
	hub_free(b->closed);
	held_free(b->doubted);
	held_free(b->put_off);
	held_free(b->cut_off);
	outages_free(b->outages);
	closings_free(b->closings);
	free(b);
	return NULL;
}

void botd_freep(struct botd **b)
{
	*b = botd_free(*b);
}
