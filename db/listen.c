#include "db/listen.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "db/db.h"
#include "db/pool.h"

#define CHANNELS_MAX 8 /* they are subscribed to in one batch */

struct channel {
	char *name, *statement;
	void (*fn)(const char *payload, void *arg);
	void *arg;
};

/* What the connection is at; the timer runs in WAITING. */
enum listener_state {
	LISTENER_WAITING,
	LISTENER_OPENING,
	LISTENER_SUBSCRIBING,
	LISTENER_LISTENING
};

struct listener {
	struct db *db;
	struct conn *conn;
	enum listener_state state;
	struct event *timer;
	unsigned failures;
	bool more; /* a channel was added while the batch was under way */
	struct channel channels[CHANNELS_MAX];
	unsigned n;
};

static void subscribe(struct listener *l)
{
	l->state = LISTENER_SUBSCRIBING;
	l->more = false;
	for (unsigned i = 0; i < l->n; i++)
		db_conn_add(l->conn, STEP_CONTROL, l->channels[i].statement, NULL, 0);
	db_conn_send(l->conn);
}

static void listening(struct listener *l)
{
	l->state = LISTENER_LISTENING;
	l->failures = 0;
	for (unsigned i = 0; i < l->n; i++)
		l->channels[i].fn(NULL, l->channels[i].arg);
}

/*
 * First the connection is open; then, each time a batch of LISTENs has ended, they are in force or
 * were refused.
 */
static void on_ready(void *arg, struct conn *c)
{
	struct listener *l = arg;
	struct db_error why;

	if (l->state == LISTENER_OPENING) {
		pool_up(l->db);
		subscribe(l);
	} else if (db_conn_outcome(c, &why) != OUTCOME_DONE) {
		db_conn_break(c, "LISTEN was refused");
	} else if (l->more) {
		subscribe(l);
	} else {
		listening(l);
	}
}

static void on_listen_closed(void *arg, struct conn *, const struct db_error *why)
{
	struct listener *l = arg;
	int64_t ms = l->state == LISTENER_LISTENING ? 0 : pool_backoff_now(++l->failures);

	if (l->state == LISTENER_OPENING)
		pool_down(l->db, why->text);
	l->state = LISTENER_WAITING;
	loop_arm(l->timer, ms);
}

static void on_notified(void *arg, const char *channel, const char *payload)
{
	struct listener *l = arg;

	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->channels[i].name, channel) == 0)
			l->channels[i].fn(payload, l->channels[i].arg);
}

static const struct conn_owner listener_owner = { on_ready, on_listen_closed, on_notified };

static void on_listen_timer(evutil_socket_t, short, void *arg)
{
	struct listener *l = arg;

	l->state = LISTENER_OPENING;
	db_conn_open(l->conn, pool_conninfo(l->db));
}

static struct listener *listener_new(struct db *db)
{
	struct listener *l = must(calloc(1, sizeof(*l)));

	l->db = db;
	l->conn = db_conn_new(&listener_owner, l);
	l->timer = loop_timer(on_listen_timer, l);
	event_active(l->timer, 0, 0);
	return l;
}

struct listener *listener_free(struct listener *l)
{
	if (!l)
		return NULL;
	db_conn_free(l->conn);
	event_free(l->timer);
	for (unsigned i = 0; i < l->n; i++) {
		free(l->channels[i].name);
		free(l->channels[i].statement);
	}
	free(l);
	return NULL;
}

bool listener_listening(const struct listener *l)
{
	return l && l->state == LISTENER_LISTENING;
}

static bool channel_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n < 64 && !name[n];
}

int db_listen(
	struct db *db, const char *channel, void (*fn)(const char *payload, void *arg), void *arg)
{
	struct listener **slot = pool_listener(db);
	struct channel added = { .fn = fn, .arg = arg };

	if (!channel_valid(channel))
		return -EINVAL;
	if (!*slot)
		*slot = listener_new(db);
	if ((*slot)->n == CHANNELS_MAX)
		return -ENOSPC;
	added.name = must(strdup(channel));
	added.statement = exact_new("LISTEN \"%s\"", channel);
	(*slot)->channels[(*slot)->n++] = added;
	if ((*slot)->state == LISTENER_LISTENING)
		subscribe(*slot);
	else if ((*slot)->state == LISTENER_SUBSCRIBING)
		(*slot)->more = true;
	return 0;
}
