#include "db/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/util.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "db/conninfo.h"

#define SIZE_MAX_CONNECTIONS 256

/* Which list holds the slot; only slot_move() moves it. */
enum slot_state { SLOT_CLOSED, SLOT_OPENING, SLOT_IDLE, SLOT_BUSY, SLOT_STATES };

struct slot {
	struct db *db;
	struct conn *conn;
	enum slot_state state;
	TAILQ_ENTRY(slot) link;
};

TAILQ_HEAD(slot_list, slot);

/* A fiber that waits for a connection, on its stack. */
struct taker {
	struct wait wait;
	struct conn *conn;
	TAILQ_ENTRY(taker) link;
};

struct db {
	struct db_config config; /* its strings have gone into info */
	struct conninfo *info;
	struct slot *slots;
	struct slot_list lists[SLOT_STATES];
	unsigned counts[SLOT_STATES];
	TAILQ_HEAD(, taker) takers;
	unsigned waiting;
	struct event *grow_timer;
	unsigned failures; /* to connect, in a row */
	int64_t retry_at;  /* no attempt before */
	bool used;         /* once connected, one is kept up: "down" is known before it hurts */
	int64_t down_since;
	char down_why[256];
	struct db_error error;
	struct listener *listener;
};

static void slot_move(struct slot *s, enum slot_state state)
{
	struct db *db = s->db;

	TAILQ_REMOVE(&db->lists[s->state], s, link);
	db->counts[s->state]--;
	s->state = state;
	/* the connection used last has the warmest server process */
	TAILQ_INSERT_HEAD(&db->lists[state], s, link);
	db->counts[state]++;
}

/* Health */

int64_t pool_backoff_ms(unsigned failures, uint32_t random)
{
	int64_t ms = failures > 6 ? 5000 : INT64_C(100) << (failures - 1);

	return ms * 3 / 4 + random % (ms / 2 + 1);
}

int64_t pool_backoff_now(unsigned failures)
{
	uint32_t random;

	evutil_secure_rng_get_bytes(&random, sizeof(random));
	return pool_backoff_ms(failures, random);
}

static unsigned wanted(const struct db *db)
{
	bool none = db->counts[SLOT_IDLE] + db->counts[SLOT_BUSY] == 0;

	if (db->waiting == 0)
		return db->used && none ? 1 : 0;
	return db->failures ? 1 : db->waiting; /* one tries for all while the server is unwell */
}

static void grow_soon(struct db *db)
{
	if (wanted(db) > 0)
		loop_arm(db->grow_timer, db->retry_at - loop_now());
}

void pool_up(struct db *db)
{
	bool was_down = db->down_since != 0;

	db->failures = 0;
	db->retry_at = 0;
	db->down_since = 0;
	grow_soon(db); /* whoever waits for the next attempt need not */
	if (was_down && db->config.changed)
		db->config.changed(true, "connected", db->config.arg);
}

void pool_down(struct db *db, const char *why)
{
	words_set(db->down_why, sizeof(db->down_why), "%s", why);
	if (db->down_since || db->counts[SLOT_IDLE] + db->counts[SLOT_BUSY] > 0)
		return;
	db->down_since = wall_now();
	if (db->config.changed)
		db->config.changed(false, why, db->config.arg);
}

/* Growing */

static void pool_grow(struct db *db)
{
	struct slot *s;

	if (db->retry_at > loop_now()) {
		grow_soon(db);
		return;
	}
	while (db->counts[SLOT_OPENING] < wanted(db) &&
		(s = TAILQ_FIRST(&db->lists[SLOT_CLOSED]))) {
		slot_move(s, SLOT_OPENING);
		db_conn_open(s->conn, db->info);
	}
}

static void on_grow(evutil_socket_t, short, void *arg)
{
	pool_grow(arg);
}

/* Handing over */

static struct taker *next_taker(struct db *db)
{
	struct taker *t;

	TAILQ_FOREACH (t, &db->takers, link)
		if (!t->wait.done) /* else it gave up in this very turn */
			return t;
	return NULL;
}

static void taker_remove(struct db *db, struct taker *t)
{
	TAILQ_REMOVE(&db->takers, t, link);
	db->waiting--;
}

static void slot_ready(void *arg, struct conn *c)
{
	struct slot *s = arg;
	struct db *db = s->db;
	struct taker *t;

	if (s->state == SLOT_OPENING) {
		db->used = true;
		slot_move(s, SLOT_IDLE);
		pool_up(db);
	}
	t = next_taker(db);
	if (!t) {
		slot_move(s, SLOT_IDLE);
		return;
	}
	if (!db_conn_hold(c))
		return; /* slot_closed() saw to it */
	slot_move(s, SLOT_BUSY);
	t->conn = c;
	taker_remove(db, t);
	wait_wake(&t->wait, 0);
}

static void slot_closed(void *arg, struct conn *, const struct db_error *why)
{
	struct slot *s = arg;
	struct db *db = s->db;
	bool opening = s->state == SLOT_OPENING;

	slot_move(s, SLOT_CLOSED);
	if (opening) {
		db->failures++;
		db->retry_at = loop_now() + pool_backoff_now(db->failures);
		pool_down(db, why->text);
	}
	grow_soon(db);
}

static const struct conn_owner slot_owner = { .ready = slot_ready, .closed = slot_closed };

static struct conn *take_idle(struct db *db)
{
	struct slot *s;

	while ((s = TAILQ_FIRST(&db->lists[SLOT_IDLE]))) {
		if (!db_conn_hold(s->conn))
			continue;
		slot_move(s, SLOT_BUSY);
		return s->conn;
	}
	return NULL;
}

static int take_failed(const struct db *db, int r, struct db_error *why)
{
	if (r == -ECANCELED)
		db_error_set(why, r, "cancelled while waiting for a database connection");
	else if (db->counts[SLOT_BUSY] > 0)
		db_error_set(why, -EBUSY,
			"all %u database connections were in use until the deadline", db->config.size);
	else
		db_error_set(why, -ENOTCONN, "no connection to the database: %s",
			*db->down_why ? db->down_why : "it did not answer until the deadline");
	return why->code;
}

int pool_take(struct db *db, int64_t deadline, struct conn **ret, struct db_error *why)
{
	struct taker t = { 0 };
	int r;

	*ret = take_idle(db);
	if (*ret)
		return 0;
	TAILQ_INSERT_TAIL(&db->takers, &t, link);
	db->waiting++;
	pool_grow(db);
	r = wait_for(&t.wait, deadline);
	if (r == 0) {
		*ret = t.conn;
		return 0;
	}
	taker_remove(db, &t);
	return take_failed(db, r, why);
}

/* The pool itself */

static void slots_new(struct db *db)
{
	db->slots = must(calloc(db->config.size, sizeof(*db->slots)));
	for (int i = 0; i < SLOT_STATES; i++)
		TAILQ_INIT(&db->lists[i]);
	for (unsigned i = 0; i < db->config.size; i++) {
		struct slot *s = &db->slots[i];

		*s = (struct slot){ .db = db, .conn = db_conn_new(&slot_owner, s) };
		TAILQ_INSERT_TAIL(&db->lists[SLOT_CLOSED], s, link);
		db->counts[SLOT_CLOSED]++;
	}
}

int db_new(const struct db_config *config, struct db **ret)
{
	struct conninfo *info = NULL;
	struct db *db;

	if (config->size < 1 || config->size > SIZE_MAX_CONNECTIONS || conninfo_new(config, &info) < 0)
		return -EINVAL;
	db = must(calloc(1, sizeof(*db)));
	db->config = *config;
	db->info = info;
	TAILQ_INIT(&db->takers);
	db->grow_timer = loop_timer(on_grow, db);
	slots_new(db);
	*ret = db;
	return 0;
}

void pool_free(struct db *db)
{
	assert(db->waiting == 0);
	for (unsigned i = 0; i < db->config.size; i++)
		db_conn_free(db->slots[i].conn);
	event_free(db->grow_timer);
	conninfo_free(db->info);
	free(db->slots);
	free(db);
}

int pool_fail(struct db *db, const struct db_error *e)
{
	db->error = *e;
	return e->code;
}

const struct db_error *db_error(const struct db *db)
{
	return &db->error;
}

const struct conninfo *pool_conninfo(const struct db *db)
{
	return db->info;
}

struct listener **pool_listener(const struct db *db)
{
	return (struct listener **)&db->listener;
}

void pool_status(const struct db *db, struct db_status *ret)
{
	*ret = (struct db_status){
		.connected = db->counts[SLOT_IDLE] + db->counts[SLOT_BUSY],
		.idle = db->counts[SLOT_IDLE],
		.busy = db->counts[SLOT_BUSY],
		.waiting = db->waiting,
		.down_since = db->down_since,
	};
	words_set(ret->error, sizeof(ret->error), "%s", db->down_why);
}
