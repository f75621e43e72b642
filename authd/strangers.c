#include "authd/strangers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "authd/audit.h"
#include "authd/state.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"

#define PAUSE_MS 1000
#define WRITE_MS 5000

struct strangers {
	struct authd *a;
	struct fiber *fiber;
	struct latch idle; /* waits for the next one */
	char what[200];    /* the first that has not been written; "" if none */
	unsigned more;     /* others since */
};

void strangers_note(void *authd, const char *what)
{
	struct strangers *s = ((struct authd *)authd)->strangers;

	if (!s)
		return;
	if (*s->what) {
		s->more++;
		return;
	}
	words_set(s->what, sizeof(s->what), "%s", what);
	latch_wake(&s->idle, 0);
}

/* Those that come while this one is written are told next; one that could not be written is counted with them. */
static int write_down(struct strangers *s)
{
	char what[sizeof(s->what)], detail[240];
	const struct audit entry = { .event = "caller_refused", .detail = detail };
	unsigned more = s->more;
	int r;

	memcpy(what, s->what, sizeof(what));
	s->what[0] = '\0';
	s->more = 0;
	words_set(detail, sizeof(detail), more ? "%s, and %u more" : "%s", what, more);
	r = audit_alone(s->a->db, deadline_in(WRITE_MS), &entry);
	if (r == 0)
		return 0;
	s->more += *s->what ? more + 1 : more;
	if (!*s->what)
		memcpy(s->what, what, sizeof(what));
	return r;
}

static void write_on(void *arg)
{
	struct strangers *s = arg;
	int r = 0;

	while (r != -ECANCELED) {
		r = *s->what ? 0 : latch_wait(&s->idle, NEVER);
		if (r == 0)
			r = write_down(s);
		if (r != -ECANCELED)
			r = fiber_sleep_until(deadline_in(PAUSE_MS));
	}
}

struct strangers *strangers_new(struct authd *a)
{
	struct strangers *s = must(calloc(1, sizeof(*s)));

	s->a = a;
	fiber_start("strangers", write_on, s, &s->fiber);
	return s;
}

void strangers_stop(struct strangers *s)
{
	fiber_cancel(s->fiber);
	fiber_join(&s->fiber);
}

struct strangers *strangers_free(struct strangers *s)
{
	free(s);
	return NULL;
}
