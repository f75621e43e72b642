#include "streamd/edge/edge_routes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "proto/call.h"

#define ADMIT_MS 5000 /* for authd to say whose login it is; less than the edge waits for a decision */
#define BUCKETS  256

/* Somebody at the edge, from asked() to closed(), and longer while its fiber runs. */
struct visit {
	struct edge_routes *routes;
	uint64_t id;
	struct arena *arena; /* of the request; NULL once it has been decided on */
	struct edge_request request;
	const struct edge_route *row; /* NULL until somebody answers for it */
	struct fiber *fiber;          /* while it is brought before the guard */
	bool admitting, gone;
	LIST_ENTRY(visit) link;
};

struct edge_routes {
	struct edge *edge;
	struct login_guard *guard;
	struct login_holder holder;
	struct edge_route *rows;
	size_t row_count;
	size_t admitting; /* fibers */
	struct latch idle;
	LIST_HEAD(, visit) visits[BUCKETS];
};

static struct visit *edge_routes_find(const struct edge_routes *r, uint64_t id)
{
	struct visit *v;

	LIST_FOREACH (v, &r->visits[id % BUCKETS], link)
		if (v->id == id)
			return v;
	return NULL;
}

static void visit_free(struct visit *v)
{
	arena_free(v->arena);
	free(v);
}

/* The request is copied into a secret arena, for its cookie is one. */
static struct visit *visit_new(struct edge_routes *r, uint64_t id, const struct edge_request *q)
{
	struct visit *v = must(calloc(1, sizeof(*v)));
	struct arena *a = arena_new_secret(0);

	v->routes = r;
	v->id = id;
	v->arena = a;
	v->request = *q;
	v->request.path = arena_strdup(a, q->path);
	v->request.query = arena_strdup(a, q->query);
	v->request.cookie = arena_strdup(a, q->cookie);
	v->request.ip = arena_strdup(a, q->ip);
	LIST_INSERT_HEAD(&r->visits[id % BUCKETS], v, link);
	return v;
}

static const struct edge_route *edge_routes_find_row(const struct edge_routes *r, const char *path)
{
	for (size_t i = 0; i < r->row_count; i++)
		if (strncmp(path, r->rows[i].prefix, strlen(r->rows[i].prefix)) == 0)
			return &r->rows[i];
	return NULL;
}

static void edge_routes_refuse(struct visit *v, struct call *call, int error)
{
	bool signed_out = error == REFUSED && call->refusal.code == ERR_not_signed_in;

	if (error < 0 && error != REFUSED)
		log_warning("a login could not be checked: %s", strerror(-error));
	edge_refuse(v->routes->edge, v->id, signed_out ? EDGE_CLOSE_NOT_SIGNED_IN : EDGE_CLOSE_UNAVAILABLE, call_why(call, error));
}

static void hand_over(struct visit *v, struct login *login)
{
	struct edge_routes *r = v->routes;
	const struct edge_route *row = edge_routes_find_row(r, v->request.path);

	if (!row) {
		edge_refuse(r->edge, v->id, EDGE_CLOSE_NOT_FOUND, "There is nothing at this address.");
		return;
	}
	login->ip = v->request.ip;
	v->row = row;
	row->asked(r->edge, row->owner, v->id, v->request.path + strlen(row->prefix), &v->request, login);
}

static void bring_before_guard(struct visit *v)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(ADMIT_MS));
	struct login login;
	int r = login_guard_admit(v->routes->guard, call, &v->routes->holder, v->id, v->request.cookie, &login);

	if (v->gone)
		login_guard_release(v->routes->guard, &v->routes->holder, v->id);
	else if (r < 0)
		edge_routes_refuse(v, call, r);
	else
		hand_over(v, &login);
}

static void edge_routes_admit(void *arg)
{
	struct visit *v = arg;
	struct edge_routes *r = v->routes;

	v->fiber = fiber_self();
	if (!v->gone)
		bring_before_guard(v);
	v->fiber = NULL;
	v->admitting = false;
	v->arena = arena_free(v->arena);
	if (v->gone)
		visit_free(v);
	if (--r->admitting == 0)
		latch_wake(&r->idle, 0);
}

static void on_edge_routes_asked(struct edge *, void *owner, uint64_t id, const struct edge_request *q)
{
	struct edge_routes *r = owner;
	struct visit *v = visit_new(r, id, q);

	v->admitting = true;
	r->admitting++;
	fiber_start("admit", edge_routes_admit, v, NULL);
}

static void on_message(struct edge *e, void *owner, uint64_t id, char *text, size_t n)
{
	struct visit *v = edge_routes_find(owner, id);

	if (v && v->row && v->row->message)
		v->row->message(e, v->row->owner, id, text, n);
}

static void on_edge_routes_drained(struct edge *e, void *owner, uint64_t id)
{
	struct visit *v = edge_routes_find(owner, id);

	if (v && v->row && v->row->drained)
		v->row->drained(e, v->row->owner, id);
}

static void leave(struct edge_routes *r, struct visit *v)
{
	const struct edge_route *row = v->row;
	uint64_t id = v->id;

	LIST_REMOVE(v, link);
	login_guard_release(r->guard, &r->holder, id);
	v->gone = true;
	if (v->fiber)
		fiber_cancel(v->fiber);
	if (!v->admitting)
		visit_free(v);
	if (row)
		row->closed(r->edge, row->owner, id);
}

static void on_edge_routes_closed(struct edge *, void *owner, uint64_t id)
{
	struct visit *v = edge_routes_find(owner, id);

	if (v)
		leave(owner, v);
}

/* Its owner is rid of it at once, and what it held elsewhere with it; the client may take its time to read the close. */
static void on_edge_routes_login_ended(void *owner, uint64_t id)
{
	struct edge_routes *r = owner;
	struct visit *v = edge_routes_find(r, id);

	edge_close(r->edge, id, EDGE_CLOSE_NOT_SIGNED_IN, "Your sign-in to Stead has ended; sign in again.");
	if (v)
		leave(r, v);
}

static const struct edge_events events = { .asked = on_edge_routes_asked,
	.message = on_message,
	.drained = on_edge_routes_drained,
	.closed = on_edge_routes_closed };

int edge_routes_new(int listen_fd, const struct edge_config *config, struct peer *authd,
	const struct edge_route *rows, size_t count, struct edge_routes **ret)
{
	struct edge_routes *r = must(calloc(1, sizeof(*r)));
	int error;

	r->rows = must(calloc(count + 1, sizeof(*rows)));
	memcpy(r->rows, rows, count * sizeof(*rows));
	r->row_count = count;
	error = edge_new(listen_fd, config, &events, r, &r->edge);
	if (error < 0) {
		free(r->rows);
		free(r);
		return error;
	}
	r->holder = (struct login_holder){ on_edge_routes_login_ended, r };
	r->guard = login_guard_new(authd);
	*ret = r;
	return 0;
}

static void edge_routes_leave_all(struct edge_routes *r)
{
	struct visit *v;

	for (int i = 0; i < BUCKETS; i++)
		while ((v = LIST_FIRST(&r->visits[i])))
			leave(r, v);
}

struct edge_routes *edge_routes_free(struct edge_routes *r)
{
	if (!r)
		return NULL;
	edge_routes_leave_all(r); /* while the edge still takes calls */
	r->edge = edge_free(r->edge);
	LATCH_AWAIT(&r->idle, r->admitting == 0);
	login_guard_free(r->guard);
	free(r->rows);
	free(r);
	return NULL;
}

struct login_guard *edge_routes_guard(struct edge_routes *r)
{
	return r->guard;
}

void edge_routes_use(struct edge_routes *r, uint64_t id)
{
	login_guard_use(r->guard, &r->holder, id);
}
