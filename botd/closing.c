#include "botd/closing.h"

#include <stdlib.h>
#include <string.h>

#include "botd/run.h"
#include "botd/state.h"
#include "common/fiber.h"
#include "common/must.h"

struct closing {
	struct botd *botd;
	struct run *run;
	bool hasty;
	LIST_ENTRY(closing) link;
};

static void close_one(void *arg)
{
	struct closing *x = arg;
	struct botd *b = x->botd;

	run_end(x->run, x->hasty);
	LIST_REMOVE(x, link);
	run_free(x->run);
	free(x);
	hub_miss(b->closed);
	latch_wake(&b->closings.emptied, 0);
}

void closing_start(struct botd *b, struct run *run, bool hasty)
{
	struct closing *x = must(calloc(1, sizeof(*x)));

	*x = (struct closing){ .botd = b, .run = run, .hasty = hasty };
	LIST_INSERT_HEAD(&b->closings.list, x, link);
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
