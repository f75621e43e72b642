/* Whoever looks at a sign-in: whose it is, and what they say to it rather than to its page. */
#include "streamd/signin/sign_in_viewers.h"

#include <string.h>

#include "common/log.h"
#include "proto/scope.h"
#include "streamd/audit.h"
#include "streamd/handlers.h"
#include "streamd/screen/viewer_route.h"
#include "streamd/signin/sign_ins.h"

/* The name of a sign-in is not to be guessed: somebody has handed it on, or looks where they should not. */
static void refuse_foreign(struct streamd *d, const struct login *login)
{
	streamd_audit_forbidden(d, login, "the sign-in of somebody else");
	log_warning("%s, from %s, asked for a sign-in that belongs to somebody else and was refused", login->name, login->ip);
}

void sign_in_find_screen(struct streamd *d, const char *id, const struct login *login, struct screen_found *ret)
{
	struct sign_in *s = sign_ins_find(d->sign_ins, id);
	const char *gone = s ? NULL : sign_ins_why_gone(d->sign_ins, id);

	if (gone)
		*ret = (struct screen_found){ .close_code = EDGE_CLOSE_ENDED, .why = gone };
	else if (!s)
		*ret = (struct screen_found){ .close_code = EDGE_CLOSE_NOT_FOUND, .why = "There is no such sign-in." };
	else if (s->call->acting.user != login->user)
		*ret = (struct screen_found){ .close_code = EDGE_CLOSE_FORBIDDEN, .why = "This sign-in belongs to somebody else." };
	else
		*ret = (struct screen_found){ .screen = s->screen, .scopes = SCOPE_READ | SCOPE_ACT };
	if (ret->close_code == EDGE_CLOSE_FORBIDDEN)
		refuse_foreign(d, login);
}

int sign_in_done(struct call *call, const struct sign_in_done_params *p, struct sign_in_done_result *)
{
	struct sign_in *s = sign_in_of(call->front);

	if (!s)
		return 0;
	screen_used(call->front);
	s->done_pressed = true;
	if (p->in_place_of && strcmp(p->in_place_of, s->asked.kept) == 0 && p->account &&
		strcmp(p->account, s->asked.by) == 0)
		s->agreed = s->asked;
	sign_in_poke(s);
	return 0;
}

int sign_in_resume(struct call *call, const struct sign_in_resume_params *, struct sign_in_resume_result *)
{
	struct sign_in *s = sign_in_of(call->front);

	if (!s)
		return 0;
	screen_used(call->front);
	s->resume_pressed = true;
	sign_in_poke(s);
	return 0;
}
