#include "db/conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "common/must.h"
#include "db/conninfo.h"
#include "db/result.h"
#include "db/statement.h"
#include "db/wire.h"

#define OPEN_WITHIN_MS  10000
#define CLEAN_WITHIN_MS 5000

/* BEGIN, identity, time limit, statement and COMMIT, each with its PREPARE; or eight LISTENs. */
#define BATCH_MAX 16

struct part {
	enum step step;
	struct statement *statement; /* kept prepared on this connection; NULL: sent as text */
	bool fresh;                  /* prepared in this very batch */
};

struct batch {
	struct part parts[BATCH_MAX];
	unsigned n, at; /* at: whose result comes next */
	bool sent;      /* complete: what is added now is another batch */
	bool active;    /* sent, and its end has not come */
	bool ended;     /* with its Sync, not with the connection */
	bool commits;   /* COMMIT has been handed to libpq */
	bool committed; /* and was carried out */
	bool failed;    /* error says in which part, and why */
	enum step failed_in;
	PGresult *result; /* of its last STEP_STATEMENT */
};

struct conn {
	PGconn *pg; /* NULL: closed */
	const struct conn_owner *owner;
	void *arg;
	struct event *io;       /* opening: what libpq wants next; open: readable, always */
	struct event *writable; /* while output is pending */
	struct event *timer;    /* opening or cleaning up takes too long */
	struct statements statements;
	struct batch batch;
	struct wait *waiter;   /* the fiber that waits for the batch's end */
	bool open;             /* authenticated, in pipeline mode */
	bool held;             /* by whoever called db_conn_hold() */
	bool lost;             /* broken: to be closed as soon as nobody holds it */
	bool outdated;         /* its prepared statements are: to be closed likewise */
	bool rolling_back;     /* the batch under way is our own ROLLBACK */
	struct db_error error; /* why the batch failed, or why the connection was lost */
};

static void unwatch(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

static void conn_watch(struct conn *c, struct event **event, short what, event_callback_fn fn)
{
	unwatch(event);
	*event = loop_watch(PQsocket(c->pg), what, fn, c);
}

static void batch_clear(struct batch *b)
{
	PQclear(b->result);
	*b = (struct batch){ 0 };
}

/* Back to closed, telling nobody. */
static void shut(struct conn *c)
{
	event_del(c->timer);
	unwatch(&c->io);
	unwatch(&c->writable);
	batch_clear(&c->batch);
	statements_clear(&c->statements);
	PQfinish(c->pg);
	c->pg = NULL;
	c->open = c->lost = c->outdated = c->rolling_back = false;
}

struct conn *db_conn_free(struct conn *c)
{
	if (!c)
		return NULL;
	assert(!c->held && !c->waiter);
	shut(c);
	event_free(c->timer);
	free(c);
	return NULL;
}

/* The one exit of a connection that nobody holds. */
static void close_now(struct conn *c)
{
	struct db_error why = c->error;

	shut(c);
	c->owner->closed(c->arg, c, &why);
}

/*
 * The batch is over, and so are the connection's waits; whoever holds it learns from
 * db_conn_outcome().
 */
void db_conn_break(struct conn *c, const char *why)
{
	if (c->lost)
		return;
	c->lost = true;
	unwatch(&c->io);
	unwatch(&c->writable);
	if (!*c->error.sqlstate) /* the server's own word for it is better */
		db_error_set(&c->error, -ENOTCONN, "%s", why);
	c->batch.active = false;
	if (c->waiter)
		wait_wake(c->waiter, 0);
	if (!c->held)
		close_now(c);
}

static void on_conn_timer(evutil_socket_t, short, void *arg)
{
	struct conn *c = arg;

	if (c->open)
		db_conn_break(c, "the server did not answer while its connection was cleaned up");
	else if (PQstatus(c->pg) == CONNECTION_BAD)
		db_conn_break(c, PQerrorMessage(c->pg));
	else
		db_conn_break(c, "the server did not answer while connecting");
}

struct conn *db_conn_new(const struct conn_owner *owner, void *arg)
{
	struct conn *c = must(calloc(1, sizeof(*c)));

	c->owner = owner;
	c->arg = arg;
	c->timer = loop_timer(on_conn_timer, c);
	return c;
}

/* Reading what came */

static void part_failed(struct conn *c, const struct part *part, const PGresult *res)
{
	if (part->step == STEP_PREPARE)
		part->statement->prepared = false;
	if (c->batch.failed)
		return;
	c->batch.failed = true;
	c->batch.failed_in = part->step;
	db_error_from_result(&c->error, res);
}

/*
 * A migration can outdate what this connection has prepared: 0A000, "cached plan must not change
 * result type". A new connection knows no better plan than the present one, so the transaction is
 * worth another try there.
 */
static void check_plans(struct conn *c, const struct part *part)
{
	bool stale = part->statement && !part->fresh && strcmp(c->error.sqlstate, "0A000") == 0;

	if (stale)
		c->error.code = -EDEADLK;
	if (stale || strcmp(c->error.sqlstate, "26000") == 0)
		c->outdated = true;
}

static void part_done(struct conn *c, const struct part *part, PGresult *res)
{
	if (part->step == STEP_COMMIT)
		c->batch.committed = strcmp(PQcmdStatus(res), "COMMIT") == 0;
	if (part->step != STEP_STATEMENT) {
		PQclear(res);
		return;
	}
	PQclear(c->batch.result);
	c->batch.result = res;
}

static void take_part(struct conn *c, PGresult *res)
{
	struct batch *b = &c->batch;
	const struct part *part = &b->parts[b->at];

	assert(b->at < b->n);
	b->at++;
	if (PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK) {
		part_done(c, part, res);
		return;
	}
	part_failed(c, part, res);
	check_plans(c, part);
	PQclear(res);
}

static void clean_up(struct conn *c);

static void batch_ended(struct conn *c)
{
	c->batch.active = false;
	c->batch.ended = true;
	if (c->waiter)
		wait_wake(c->waiter, 0);
	else if (!c->held)
		clean_up(c);
}

/* Takes what has come completely; each part's result is followed by a NULL, the Sync's is not. */
static void read_results(struct conn *c)
{
	unsigned nulls = 0;

	while (c->batch.active && !PQisBusy(c->pg)) {
		PGresult *res = PQgetResult(c->pg);

		if (!res) {
			if (++nulls > 1)
				return; /* libpq knows of nothing more: the connection broke */
			continue;
		}
		nulls = 0;
		if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
			PQclear(res);
			batch_ended(c);
			return;
		}
		if (c->batch.at == c->batch.n) { /* an error in place of the Sync */
			PQclear(res);
			return;
		}
		take_part(c, res);
	}
}

static void read_notifies(struct conn *c)
{
	PGnotify *n;

	while (c->pg && (n = PQnotifies(c->pg))) {
		if (c->owner->notified)
			c->owner->notified(c->arg, n->relname, n->extra);
		PQfreemem(n);
	}
}

static void on_conn_readable(evutil_socket_t, short, void *arg)
{
	struct conn *c = arg;
	int ok = PQconsumeInput(c->pg);

	PQisBusy(c->pg); /* parses what came while no batch is under way */
	read_notifies(c);
	read_results(c);
	if (c->pg && !c->lost && (!ok || PQstatus(c->pg) != CONNECTION_OK))
		db_conn_break(c, PQerrorMessage(c->pg));
}

/* A connection that is being ended says so in a notice when nothing is under way. */
static void on_notice(void *arg, const PGresult *res)
{
	struct conn *c = arg;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED) ?: "";

	if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
		db_error_from_result(&c->error, res);
}

/* Opening */

static void conn_opened(struct conn *c)
{
	c->open = true;
	event_del(c->timer);
	PQsetnonblocking(c->pg, 1);
	PQsetNoticeReceiver(c->pg, on_notice, c);
	if (!PQenterPipelineMode(c->pg)) {
		db_conn_break(c, PQerrorMessage(c->pg));
		return;
	}
	conn_watch(c, &c->io, EV_READ | EV_PERSIST, on_conn_readable);
	c->owner->ready(c->arg, c);
}

static void on_open_io(evutil_socket_t, short, void *arg)
{
	struct conn *c = arg;

	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_READING: conn_watch(c, &c->io, EV_READ, on_open_io); break;
	case PGRES_POLLING_WRITING: conn_watch(c, &c->io, EV_WRITE, on_open_io); break;
	case PGRES_POLLING_OK: conn_opened(c); break;
	default: db_conn_break(c, PQerrorMessage(c->pg));
	}
}

void db_conn_open(struct conn *c, const struct conninfo *info)
{
	assert(!c->pg);
	c->error = (struct db_error){ 0 };
	c->pg = conninfo_connect(info);
	if (PQstatus(c->pg) == CONNECTION_BAD) {
		event_active(c->timer, 0, 0); /* not from here: the owner hears of it on the loop */
		return;
	}
	loop_arm(c->timer, OPEN_WITHIN_MS);
	conn_watch(c, &c->io, EV_WRITE, on_open_io);
}

/* Batches */

static void batch_begin(struct conn *c)
{
	if (!c->batch.sent)
		return; /* goes on */
	batch_clear(&c->batch);
	if (!c->lost)
		c->error = (struct db_error){ 0 };
}

static void batch_part(struct conn *c, struct part part, int sent)
{
	assert(c->batch.n < BATCH_MAX);
	c->batch.parts[c->batch.n++] = part;
	if (!sent)
		db_conn_break(c, PQerrorMessage(c->pg));
}

static void conn_prepare(
	struct conn *c, struct statement *st, const char *sql, const struct wire_params *p)
{
	int sent = PQsendPrepare(c->pg, st->name, sql, p->n, p->types);

	st->prepared = true;
	batch_part(c, (struct part){ .step = STEP_PREPARE, .statement = st }, sent);
}

void db_conn_add(struct conn *c, enum step step, const char *sql, const struct db_arg *args, size_t n)
{
	struct part part = { .step = step };
	struct wire_params p;
	struct statement *st;
	int sent;

	batch_begin(c);
	wire_params_fill(&p, args, n);
	if (!c->pg || c->lost)
		return;
	st = part.statement = statements_get(&c->statements, sql, p.types, p.n);
	if (st && !st->prepared) {
		part.fresh = true;
		conn_prepare(c, st, sql, &p);
	}
	if (!c->pg || c->lost)
		return;
	if (st)
		sent = PQsendQueryPrepared(c->pg, st->name, p.n, p.values, p.lengths, p.formats, 1);
	else
		sent = PQsendQueryParams(
			c->pg, sql, p.n, p.types, p.values, p.lengths, p.formats, 1);
	c->batch.commits |= step == STEP_COMMIT;
	batch_part(c, part, sent);
}

static void on_conn_writable(evutil_socket_t fd, short what, void *arg);

static void conn_flush(struct conn *c)
{
	int r = PQflush(c->pg);

	if (r < 0)
		db_conn_break(c, PQerrorMessage(c->pg));
	else if (r > 0)
		conn_watch(c, &c->writable, EV_WRITE, on_conn_writable);
	else
		unwatch(&c->writable);
}

static void on_conn_writable(evutil_socket_t, short, void *arg)
{
	conn_flush(arg);
}

void db_conn_send(struct conn *c)
{
	c->batch.sent = true;
	if (!c->pg || c->lost)
		return;
	c->batch.active = true;
	if (PQpipelineSync(c->pg))
		conn_flush(c);
	else
		db_conn_break(c, PQerrorMessage(c->pg));
}

int db_conn_wait(struct conn *c, int64_t deadline)
{
	struct wait w = { 0 };
	int r;

	if (!c->batch.active)
		return 0;
	c->waiter = &w;
	r = wait_for(&w, deadline);
	c->waiter = NULL;
	return c->batch.active ? r : 0;
}

/* What a failure in part failed_in means; the server only ever refuses with a SQLSTATE. */
static enum outcome failure(const struct conn *c)
{
	const struct batch *b = &c->batch;
	bool said = b->failed && *c->error.sqlstate;
	bool before_commit = !b->commits || (said && b->failed_in != STEP_COMMIT);

	if (said && c->error.code != -ENOTCONN)
		return OUTCOME_REFUSED;
	return before_commit ? OUTCOME_LOST : OUTCOME_DOUBT;
}

enum outcome db_conn_outcome(const struct conn *c, struct db_error *why)
{
	const struct batch *b = &c->batch;

	assert(b->sent && !b->active);
	if (b->committed || (b->ended && !b->failed && !b->commits))
		return OUTCOME_DONE;
	*why = c->error;
	if (b->ended && !b->failed) {
		db_error_set(why, -EIO, "COMMIT was answered with ROLLBACK");
		return OUTCOME_REFUSED;
	}
	return failure(c);
}

struct db_result *db_conn_take_result(struct conn *c)
{
	PGresult *res = c->batch.result;

	c->batch.result = NULL;
	return res ? db_result_wrap(res) : NULL;
}

/* Holding and letting go */

/* Asks the socket itself: the loop may not have come round to telling us. */
static bool still_there(struct conn *c)
{
	char byte;

	while (c->pg) {
		ssize_t n = recv(PQsocket(c->pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return true;
		if (n > 0) /* a notice, a changed parameter, or a farewell with the end behind it */
			on_conn_readable(-1, 0, c);
		else
			db_conn_break(c, *c->error.text ? c->error.text
					       : "the server closed the connection");
	}
	return false;
}

bool db_conn_hold(struct conn *c)
{
	assert(c->open && !c->held && !c->batch.active);
	c->held = still_there(c);
	return c->held;
}

static void roll_back(struct conn *c)
{
	c->rolling_back = true;
	loop_arm(c->timer, CLEAN_WITHIN_MS);
	db_conn_add(c, STEP_CONTROL, "ROLLBACK", NULL, 0);
	db_conn_send(c);
}

/* Nobody holds it and nothing is under way: make it as good as new, or close it. */
static void clean_up(struct conn *c)
{
	bool idle = PQtransactionStatus(c->pg) == PQTRANS_IDLE;

	event_del(c->timer);
	if (!idle && !c->rolling_back) {
		roll_back(c);
		return;
	}
	c->rolling_back = false;
	if (!idle || c->outdated) {
		db_conn_break(c, idle ? "prepared statements are outdated" : "ROLLBACK failed");
		return;
	}
	c->error = (struct db_error){ 0 };
	c->owner->ready(c->arg, c);
}

void db_conn_release(struct conn *c)
{
	assert(c->held && !c->waiter);
	c->held = false;
	if (c->lost)
		close_now(c);
	else if (c->batch.active)
		loop_arm(c->timer, CLEAN_WITHIN_MS); /* its end calls clean_up() */
	else
		clean_up(c);
}
