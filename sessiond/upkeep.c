#include "sessiond/upkeep.h"

#include <errno.h>

#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "sessiond/devices.h"
#include "sessiond/reseal.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

#define PAUSE_MS 3600000
#define AGAIN_MS 60000 /* after a failure, such as of the database */

/* Nothing is sealed under a key that is not this database's own. */
static int upkeep_seal(struct sessiond *s)
{
	int r = keycheck_salt(&s->check) ? 0 : keycheck_run(&s->check, deadline_in(AGAIN_MS));

	return r < 0 || keycheck_trouble(&s->check) ? r : reseal_all(s);
}

static int upkeep_once(struct sessiond *s)
{
	int r = devices_clean(s);

	if (r == 0)
		r = sighting_check(s);
	if (r == 0)
		r = upkeep_seal(s);
	if (r < 0 && r != -ECANCELED && r != -EAGAIN)
		log_warning("what the vault does by itself every hour was not all done, and is tried again in a minute: %s",
			db_error(s->db)->text);
	return r;
}

static void upkeep_run(void *arg)
{
	struct sessiond *s = arg;
	int64_t next = NEVER;

	s->upkeep.fiber = fiber_self();
	while (!fiber_cancelled()) {
		if (!s->upkeep.again)
			latch_wait(&s->upkeep.wanted, next);
		s->upkeep.again = false;
		next = deadline_in(upkeep_once(s) < 0 ? AGAIN_MS : PAUSE_MS);
	}
	s->upkeep.running = false;
}

void upkeep_start(struct sessiond *s)
{
	s->upkeep.running = true;
	fiber_start("upkeep", upkeep_run, s, NULL);
}

void upkeep_want(struct sessiond *s)
{
	s->upkeep.again = true;
	latch_wake(&s->upkeep.wanted, 0);
}

void upkeep_end(struct sessiond *s)
{
	while (s->upkeep.running) {
		fiber_cancel(s->upkeep.fiber);
		loop_turn();
	}
}
