/* One connection to a host, and no other: egress_alone(). */
#include "launcher/egress_inside.h"

#include <errno.h>
#include <string.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "launcher/handlers.h"
#include "launcher/launcher.h"
#include "proto/call.h"

#define QUIET_MS      40 /* without a byte, nothing is on its way to or from a host */
#define QUIET_MOST_MS 2000

static bool is_alone(const struct client *c)
{
	const struct alone *a = &c->egress->alone;

	return a->call && c->port == a->port && host_equal(&c->host, &a->host);
}

static void tell_alone(struct egress *e)
{
	struct client *c;

	latch_wake(&e->alone.news, 0);
	LIST_FOREACH (c, &e->clients, link)
		latch_wake(&c->turn, 0);
}

/*
 * Every connection to the host of egress_alone() but the one: nothing more is asked over it. What waits for its answer gets that;
 * had it been closed, the browser would ask once more. What a browser asks over one that is muted never leaves, and that it does
 * ask once more. One that is not a tunnel carries nothing but the request that it was made for.
 */
static void mute_others(struct egress *e)
{
	struct client *c;

	LIST_FOREACH (c, &e->clients, link)
		if (!c->only && c->relay && c->tunnel && is_alone(c))
			relay_mute(c->relay);
}

/* The one connection has ended: whoever gets another now would send again what was sent over it. */
void alone_end(struct client *c)
{
	struct egress *e = c->egress;

	if (!c->only || e->closing || !is_alone(c))
		return;
	c->only = false;
	e->alone.over = true;
	tell_alone(e);
}

void alone_heard(void *arg, bool end)
{
	struct client *c = arg;
	struct alone *a = &c->egress->alone;

	c->answered |= !end;
	if (!c->only || !is_alone(c))
		return;
	if (a->shared) {
		a->shared = false;
		mute_others(c->egress);
	}
	if (!a->heard && !end) {
		a->heard = true;
		tell_alone(c->egress);
	}
}

void alone_made(struct client *c)
{
	if (!c->only || !is_alone(c))
		return;
	c->egress->alone.made = true;
	tell_alone(c->egress);
}

bool alone_bars(const struct client *c)
{
	const struct alone *a = &c->egress->alone;

	return is_alone(c) && a->ready && !a->shared && !c->only;
}

int alone_wait_turn(struct client *c, const struct proxy_request *request)
{
	struct alone *a = &c->egress->alone;
	int r = host_parse(request->host, request->host_length, &c->host);

	c->port = request->port;
	while (r == 0 && alone_bars(c)) {
		if (a->over)
			return -ECONNREFUSED;
		if (!a->taken) {
			a->taken = c->only = true;
			return 0;
		}
		r = latch_wait(&c->turn, NEVER);
	}
	return r == -EINVAL ? 0 : r; /* the dialer says what is wrong with it */
}

/* When something of it last moved: now as long as it is being made. */
static int64_t client_moved(const struct client *c)
{
	return !c->relay || (c->tunnel && !c->answered) ? loop_now() : relay_moved(c->relay);
}

/* When something last moved to or from the host of egress_alone(); 0: never. */
static int64_t alone_moved(const struct egress *e)
{
	const struct client *c;
	int64_t moved = 0;

	LIST_FOREACH (c, &e->clients, link)
		if (is_alone(c) && client_moved(c) > moved)
			moved = client_moved(c);
	return moved;
}

/*
 * What is just being asked is asked to its end, and the connections that it needs are made: until then egress_alone() holds
 * nobody up. The egress may go meanwhile: 0 if it is still there.
 */
static int await_quiet(struct launcher *l, const struct egress *e)
{
	int64_t most = deadline_in(QUIET_MOST_MS);
	int r = 0;

	while (r == 0 && loop_now() < most && loop_now() - alone_moved(e) < QUIET_MS) {
		r = fiber_sleep_until(alone_moved(e) + QUIET_MS);
		if (r == 0 && launcher_egress(l) != e)
			r = -ECONNRESET;
	}
	return r;
}

/* What is told next: all that happens, in order. -1 before anything has been told. */
static int next_state(const struct alone *a, int told)
{
	if (told < 1 && a->made)
		return 1;
	if (told < 2 && a->heard)
		return 2;
	return a->over ? 3 : told < 0 ? 0 : told;
}

/* Until the caller closes the call. */
static int tell_of_alone(struct call *call, struct egress *e)
{
	static const char *const words[] = {"ready", "made", "heard", "over"};
	int told = -1, r = 0;

	while (r == 0) {
		int state = next_state(&e->alone, told);
		if (state == told) {
			r = latch_wait(&e->alone.news, NEVER);
			continue;
		}
		told = state;
		r = send_egress_alone(call, &(struct egress_alone_item){.state = words[state]});
	}
	return r;
}

/* Others may be made again. */
static void forget_alone(struct egress *e)
{
	struct client *c;

	e->alone.call = NULL;
	LIST_FOREACH (c, &e->clients, link)
		c->only = false;
	tell_alone(e);
	latch_wake(&e->turns, 0);
}

/* One host after another, for the last call may still have to end. The egress may go meanwhile: 0 if it is still there. */
static int await_turn(struct launcher *l, struct egress *e)
{
	int r = 0;

	while (r == 0 && e->alone.call) {
		r = latch_wait(&e->turns, NEVER);
		if (launcher_egress(l) != e)
			return -ECONNRESET;
	}
	return r;
}

int egress_alone(struct call *call, const struct egress_alone_params *params)
{
	struct launcher *l = call->daemon;
	struct egress *e = launcher_egress(l);
	struct alone alone = {.call = call, .port = (uint16_t)params->port};
	int r;

	if (!e)
		return egress_refuse_ended(call);
	if (host_parse(params->host, strlen(params->host), &alone.host) < 0)
		return call_refuse(call, ERR_invalid, "host", "This is not the name or address of a host.");
	r = await_turn(l, e);
	if (r < 0)
		return r;
	e->alone = alone;
	r = await_quiet(l, e);
	if (r == 0) {
		e->alone.ready = true;
		mute_others(e);
		r = tell_of_alone(call, e);
	}
	if (r != -ECONNRESET && launcher_egress(l) == e)
		forget_alone(e);
	return r;
}

int egress_share(
	struct call *call, const struct egress_share_params *params, struct egress_share_result *result)
{
	struct egress *e = launcher_egress(call->daemon);

	(void)params, (void)result;
	if (!e)
		return egress_refuse_ended(call);
	e->alone.shared = e->alone.call && !e->alone.over;
	tell_alone(e);
	return 0;
}

static void cut_only(struct egress *e)
{
	struct client *c;

	LIST_FOREACH (c, &e->clients, link)
		if (c->only) {
			client_cut(c);
			return;
		}
}

int egress_drop(struct call *call, const struct egress_drop_params *params, struct egress_drop_result *result)
{
	struct egress *e = launcher_egress(call->daemon);

	(void)params, (void)result;
	if (!e)
		return egress_refuse_ended(call);
	if (!e->alone.call)
		return call_refuse(call, ERR_conflict, NULL, "No host is being spoken to alone.");
	e->alone.over = true; /* also of one that was never asked for */
	e->alone.shared = false;
	mute_others(e);
	cut_only(e);
	tell_alone(e);
	return 0;
}
