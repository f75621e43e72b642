/* One connection to a host, and no other, as egress_alone() asks for it (egress_calls.c). */
#include "launcher/egress_inside.h"

#include <errno.h>

#include "common/fiber.h"
#include "common/loop.h"

static bool is_alone(const struct client *c)
{
	const struct alone *a = &c->egress->alone;

	return a->call && c->port == a->port && host_equal(&c->host, &a->host);
}

void alone_tell(struct egress *e)
{
	struct client *c;

	latch_wake(&e->alone.news, 0);
	LIST_FOREACH (c, &e->clients, link)
		latch_wake(&c->turn, 0);
}

void alone_mute_others(struct egress *e)
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
	alone_tell(e);
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
		alone_mute_others(c->egress);
	}
	if (!a->heard && !end) {
		a->heard = true;
		alone_tell(c->egress);
	}
}

void alone_made(struct client *c)
{
	if (!c->only || !is_alone(c))
		return;
	c->egress->alone.made = true;
	alone_tell(c->egress);
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

int64_t alone_moved(const struct egress *e)
{
	const struct client *c;
	int64_t moved = 0;

	LIST_FOREACH (c, &e->clients, link)
		if (is_alone(c) && client_moved(c) > moved)
			moved = client_moved(c);
	return moved;
}
