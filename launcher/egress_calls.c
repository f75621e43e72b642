/* What streamd asks of the egress: to cut it or open it, and to let one host be spoken to over one connection alone. */
#include <errno.h>
#include <string.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "launcher/egress_inside.h"
#include "launcher/handlers.h"
#include "launcher/launcher.h"
#include "proto/call.h"

#define QUIET_MS      40 /* without a byte, nothing is on its way to or from a host */
#define QUIET_MOST_MS 2000

static int egress_calls_refuse_ended(struct call *call)
{
	return call_refuse(call, ERR_ended, NULL,
		"This launcher has no browser, or it has ended; start another.");
}

int egress_set(
	struct call *call, const struct egress_set_params *params, struct egress_set_result *)
{
	struct launcher *l = call->daemon;
	struct egress *e = launcher_egress(l);

	if (!e)
		return egress_calls_refuse_ended(call);
	egress_open(e, params->open);
	return 0;
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
static int egress_calls_next_state(const struct alone *a, int told)
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
		int state = egress_calls_next_state(&e->alone, told);
		if (state == told) {
			r = latch_wait(&e->alone.news, NEVER);
			continue;
		}
		told = state;
		r = send_egress_alone(call, &(struct egress_alone_item){ .state = words[state] });
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
	alone_tell(e);
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
	struct alone alone = { .call = call, .port = (uint16_t)params->port };
	int r;

	if (!e)
		return egress_calls_refuse_ended(call);
	if (host_parse(params->host, strlen(params->host), &alone.host) < 0)
		return call_refuse(call, ERR_invalid, "host", "This is not the name or address of a host.");
	r = await_turn(l, e);
	if (r < 0)
		return r;
	e->alone = alone;
	r = await_quiet(l, e);
	if (r == 0) {
		e->alone.ready = true;
		alone_mute_others(e);
		r = tell_of_alone(call, e);
	}
	if (r != -ECONNRESET && launcher_egress(l) == e)
		forget_alone(e);
	return r;
}

int egress_share(
	struct call *call, const struct egress_share_params *, struct egress_share_result *)
{
	struct egress *e = launcher_egress(call->daemon);

	if (!e)
		return egress_calls_refuse_ended(call);
	e->alone.shared = e->alone.call && !e->alone.over;
	alone_tell(e);
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

int egress_drop(struct call *call, const struct egress_drop_params *, struct egress_drop_result *)
{
	struct egress *e = launcher_egress(call->daemon);

	if (!e)
		return egress_calls_refuse_ended(call);
	if (!e->alone.call)
		return call_refuse(call, ERR_conflict, NULL, "No host is being spoken to alone.");
	e->alone.over = true; /* also of one that was never asked for */
	e->alone.shared = false;
	alone_mute_others(e);
	cut_only(e);
	alone_tell(e);
	return 0;
}

/* Whatever has happened before this came has woken egress_alone() before this fiber began. */
int egress_told(struct call *, const struct egress_told_params *, struct egress_told_result *)
{
	return 0;
}
