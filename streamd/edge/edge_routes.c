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

/* Somebody at the edge, from asked() to closed(), and longer while its fiber runs. */
struct visit {
	struct edge_routes *routes;
	uint64_t id;
	struct arena *arena; /* of the request; NULL once it has been decided on */
	struct edge_request request;
	struct login_hold hold;
	const struct edge_route *row; /* while somebody answers for it, by the name of: */
	void *visitor;
	struct fiber *fiber; /* while it is brought before the guard */
	bool admitting;
	bool left;   /* nobody here is to hear of it any more */
	bool closed; /* the edge has said so */
	LIST_ENTRY(visit) link;
};

struct edge_routes {
	struct edge *edge;
	struct login_guard *guard;
	struct edge_route *rows;
	size_t row_count;
	size_t admitting; /* fibers */
	struct latch idle;
	LIST_HEAD(, visit) visits;
};

/* Its owner is rid of it, and what it holds elsewhere with it. */
static void leave(struct visit *v)
{
	const struct edge_route *row = v->row;

	v->left = true;
	v->row = NULL;
	login_guard_release(v->routes->guard, &v->hold);
	if (v->fiber)
		fiber_cancel(v->fiber);
	if (row)
		row->closed(v->visitor);
}

/* The client may take its time to read the close. */
static void on_visit_login_ended(void *owner)
{
	struct visit *v = owner;

	edge_close(v->routes->edge, v->id, EDGE_CLOSE_NOT_SIGNED_IN, "Your sign-in to Stead has ended; sign in again.");
	leave(v);
}

static void visit_free(struct visit *v)
{
	LIST_REMOVE(v, link);
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
	v->hold = (struct login_hold){ .ended = on_visit_login_ended, .owner = v };
	v->arena = a;
	v->request = *q;
	v->request.path = arena_strdup(a, q->path);
	v->request.query = arena_strdup(a, q->query);
	v->request.cookie = arena_strdup(a, q->cookie);
	v->request.ip = arena_strdup(a, q->ip);
	LIST_INSERT_HEAD(&r->visits, v, link);
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
	v->visitor = row->asked(r->edge, row->owner, v->id, v->request.path + strlen(row->prefix), &v->request, login);
	v->row = v->visitor ? row : NULL;
}

static void bring_before_guard(struct visit *v)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(ADMIT_MS));
	struct login login;
	int r = login_guard_admit(v->routes->guard, call, &v->hold, v->request.cookie, &login);

	if (v->left)
		login_guard_release(v->routes->guard, &v->hold);
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
	if (!v->left)
		bring_before_guard(v);
	v->fiber = NULL;
	v->admitting = false;
	v->arena = arena_free(v->arena);
	if (v->closed)
		visit_free(v);
	if (--r->admitting == 0)
		latch_wake(&r->idle, 0);
}

static void *on_edge_routes_asked(struct edge *, void *owner, uint64_t id, const struct edge_request *q)
{
	struct edge_routes *r = owner;
	struct visit *v = visit_new(r, id, q);

	v->admitting = true;
	r->admitting++;
	fiber_start("admit", edge_routes_admit, v, NULL);
	return v;
}

static void on_message(void *visitor, char *text, size_t n)
{
	struct visit *v = visitor;

	if (v->row && v->row->message && v->row->message(v->visitor, text, n))
		login_guard_use(v->routes->guard, &v->hold);
}

static void on_edge_routes_drained(void *visitor)
{
	struct visit *v = visitor;

	if (v->row && v->row->drained)
		v->row->drained(v->visitor);
}

static void on_edge_routes_closed(void *visitor)
{
	struct visit *v = visitor;

	leave(v);
	v->closed = true;
	if (!v->admitting)
		visit_free(v);
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
	r->guard = login_guard_new(authd);
	*ret = r;
	return 0;
}

struct edge_routes *edge_routes_free(struct edge_routes *r)
{
	struct visit *v;

	if (!r)
		return NULL;
	LIST_FOREACH (v, &r->visits, link) /* while the edge still takes calls */
		leave(v);
	r->edge = edge_free(r->edge);
	LATCH_AWAIT(&r->idle, r->admitting == 0);
	while ((v = LIST_FIRST(&r->visits)))
		visit_free(v);
	login_guard_free(r->guard);
	free(r->rows);
	free(r);
	return NULL;
}

struct login_guard *edge_routes_guard(struct edge_routes *r)
{
	return r->guard;
}
