#include "authd/strangers.h"

#include <errno.h>
#include <string.h>

#include "authd/audit.h"
#include "authd/state.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"

#define PAUSE_MS 1000
#define WRITE_MS 5000

void strangers_note(void *authd, const char *what)
{
	struct strangers *s = &((struct authd *)authd)->strangers;

	if (*s->what) {
		s->more++;
		return;
	}
	words_set(s->what, sizeof(s->what), "%s", what);
	latch_wake(&s->idle, 0);
}

/* Those that come while this one is written are told next; one that could not be written is counted with them. */
static int write_down(struct authd *a)
{
	struct strangers *s = &a->strangers;
	char what[sizeof(s->what)], detail[240];
	const struct audit entry = { .event = "caller_refused", .detail = detail };
	unsigned more = s->more;
	int r;

	memcpy(what, s->what, sizeof(what));
	s->what[0] = '\0';
	s->more = 0;
	words_set(detail, sizeof(detail), more ? "%s, and %u more" : "%s", what, more);
	r = audit_alone(a->db, deadline_in(WRITE_MS), &entry);
	if (r == 0)
		return 0;
	s->more += *s->what ? more + 1 : more;
	if (!*s->what)
		memcpy(s->what, what, sizeof(what));
	return r;
}

void strangers_write(void *authd)
{
	struct authd *a = authd;
	int r = 0;

	while (r != -ECANCELED) {
		r = *a->strangers.what ? 0 : latch_wait(&a->strangers.idle, NEVER);
		if (r == 0)
			r = write_down(a);
		if (r != -ECANCELED)
			r = fiber_sleep_until(deadline_in(PAUSE_MS));
	}
}
