#include "authd/sweeper.h"

#include <errno.h>
#include <stdlib.h>

#include "authd/state.h"
#include "authd/login.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/must.h"

struct sweeper {
	struct authd *a;
	struct fiber *fiber;
	int last; /* what the last one failed with: said once, not every few seconds */
};

static void sweep_on(void *arg)
{
	struct sweeper *s = arg;

	while (fiber_sleep_until(deadline_in(login_sweep_ms(s->a))) == 0) {
		int r = login_sweep(s->a);
		if (r < 0 && r != s->last)
			authd_db_failed(s->a, "ending logins whose time is up", r);
		s->last = r;
	}
}

struct sweeper *sweeper_new(struct authd *a)
{
	struct sweeper *s = must(calloc(1, sizeof(*s)));

	s->a = a;
	fiber_start("sweeper", sweep_on, s, &s->fiber);
	return s;
}

void sweeper_stop(struct sweeper *s)
{
	fiber_cancel(s->fiber);
	fiber_join(&s->fiber);
}

struct sweeper *sweeper_free(struct sweeper *s)
{
	free(s);
	return NULL;
}
