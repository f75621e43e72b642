#include "streamd/audit.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "proto/authd.h"
#include "proto/call.h"
#include "streamd/edge/login_guard.h"
#include "streamd/streamd.h"

#define NOTE_MS    5000
#define MOST_NOTES 16 /* under way; authd writes no more of them down than so many a minute */

int streamd_audit_act(struct call *call, const char *what)
{
	struct streamd *d = call->daemon;
	CLEANUP(call_freep) struct call *own = call_new(NULL, NULL, deadline_min(call->deadline, deadline_in(NOTE_MS)));
	const struct audit_note_params params = { .event = "steadctl", .detail = what };
	struct audit_note_result result;
	int r = call_audit_note(own, d->authd, &params, &result);

	if (r == REFUSED)
		call->refusal = own->refusal;
	if (r < 0)
		log_error("steadctl's %s could not be written down, so it was not done: %s", what, call_cause(own, r));
	return r;
}

struct note {
	struct streamd *daemon;
	struct call *call;
	const char *what;
};

static void audit_tell(void *arg)
{
	struct note *n = arg;
	const struct audit_note_params params = { .event = "forbidden", .detail = n->what };
	struct audit_note_result result;
	int r = call_audit_note(n->call, n->daemon->authd, &params, &result);

	if (r < 0)
		log_warning("a refusal could not be written down: %s", call_cause(n->call, r));
	call_free(n->call);
	if (--n->daemon->notes == 0)
		latch_wake(&n->daemon->noted, 0);
	free(n);
}

void streamd_audit_forbidden(struct streamd *d, const struct login *login, const char *what)
{
	const struct acting acting = { .user = login->user,
		.name = login->name,
		.login = login->login,
		.scopes = login->scopes,
		.ip = *login->ip ? login->ip : NULL };
	struct note *n;

	if (d->notes >= MOST_NOTES || d->stopping)
		return;
	n = must(calloc(1, sizeof(*n)));
	d->notes++;
	n->daemon = d;
	n->call = call_new(NULL, &acting, deadline_in(NOTE_MS));
	n->what = arena_strdup(n->call->arena, what);
	fiber_start("audit", audit_tell, n, NULL);
}

void streamd_audit_drain(struct streamd *d)
{
	if (d->notes)
		latch_wait(&d->noted, deadline_in(NOTE_MS));
}
