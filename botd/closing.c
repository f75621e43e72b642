#include "botd/closing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "botd/run.h"
#include "common/fiber.h"
#include "common/hub.h"
#include "common/latch.h"
#include "common/loop.h"
#include "common/must.h"

struct closing {
	struct closings *all;
	struct run *run;
	bool hasty;
	LIST_ENTRY(closing) link;
};

struct closings {
	struct hub *closed;
	LIST_HEAD(, closing) list;
	struct latch emptied;
};

struct closings *closings_new(struct hub *closed)
{
	struct closings *c = must(calloc(1, sizeof(*c)));

	c->closed = closed;
	LIST_INIT(&c->list);
	return c;
}

struct closings *closings_free(struct closings *c)
{
	free(c);
	return NULL;
}

static void close_one(void *arg)
{
	struct closing *x = arg;
	struct closings *all = x->all;

	run_end(x->run, x->hasty);
	LIST_REMOVE(x, link);
	run_free(x->run);
	free(x);
	hub_miss(all->closed);
	latch_wake(&all->emptied, 0);
}

void closing_start(struct closings *c, struct run *run, bool hasty)
{
	struct closing *x = must(calloc(1, sizeof(*x)));

	x->all = c;
	x->run = run;
	x->hasty = hasty;
	LIST_INSERT_HEAD(&c->list, x, link);
	fiber_start("closing", close_one, x, NULL);
}

bool closings_have(const struct closings *c, int64_t user, const char *site)
{
	const struct closing *x;

	LIST_FOREACH (x, &c->list, link)
		if (run_is_of(x->run, user, site))
			return true;
	return false;
}

void closings_wait(struct closings *c)
{
	LATCH_AWAIT(&c->emptied, LIST_EMPTY(&c->list));
}
