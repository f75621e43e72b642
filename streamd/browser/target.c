/* A browser's targets as everybody finds them, and what is known of the browser. Nothing here waits. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "recipe/pattern.h"
#include "streamd/browser/browser_inside.h"

#define MOST_BODY (1 << 20) /* bytes of one answer */
#define MOST_KEPT (4 << 20)

struct cdp *browser_cdp(struct browser *b)
{
	return b->cdp;
}

struct act *browser_act(struct browser *b)
{
	return b->act;
}

struct peer *browser_launcher(struct browser *b)
{
	return b->launcher;
}

const struct environment *browser_environment(const struct browser *b)
{
	return &b->environment;
}

const char *browser_ended(const struct browser *b)
{
	return b->ended[0] ? b->ended : NULL;
}

struct target_list *browser_targets(struct browser *b)
{
	return &b->targets;
}

struct target *browser_page(struct browser *b)
{
	struct target *t;

	TAILQ_FOREACH (t, &b->targets, link)
		if (t->kind == TARGET_PAGE && !t->hidden && t->session[0])
			return t;
	return NULL;
}

struct target *browser_target_by_session(struct browser *b, const char *session)
{
	struct target *t;

	TAILQ_FOREACH (t, &b->targets, link)
		if (session && *session && strcmp(t->session, session) == 0)
			return t;
	return NULL;
}

struct target *browser_target_by_id(struct browser *b, const char *id)
{
	struct target *t;

	TAILQ_FOREACH (t, &b->targets, link)
		if (id && strcmp(t->id, id) == 0)
			return t;
	return NULL;
}

struct target_ref target_ref_of(const struct target *t)
{
	return t ? (struct target_ref){ t->browser, t->number } : NO_TARGET;
}

struct target *target_of(struct target_ref ref)
{
	struct target *t;

	if (ref.number)
		TAILQ_FOREACH (t, &ref.browser->targets, link)
			if (t->number == ref.number && t->session[0])
				return t;
	return NULL;
}

int target_call_args(struct target_ref ref, const char *method, int64_t deadline, struct cdp_reply *ret,
	const struct cdp_arg *args)
{
	struct target *t = target_of(ref);

	if (t)
		return cdp_call_args(ref.browser->cdp, t->session, method, deadline, ret, args);
	if (ret)
		*ret = (struct cdp_reply){ 0 };
	return -EPIPE;
}

const char *const *browser_origins_seen(const struct browser *b, size_t *ret, bool *ret_more)
{
	*ret = b->seen_count;
	*ret_more = b->seen_more;
	return b->seen;
}

struct target *browser_front(struct browser *b)
{
	return target_of((struct target_ref){ b, b->front });
}

const char *browser_refused(const struct browser *b, const char *url)
{
	char host[257];

	if (url_host(url, host, sizeof(host)))
		for (size_t i = 0; i < b->refused_count; i++)
			if (strcasecmp(b->refused[i].host, host) == 0)
				return b->refused[i].why;
	return NULL;
}

const char *browser_bound(const struct browser *b, size_t i)
{
	return i < b->bound_count ? b->bound[i] : NULL;
}

void browser_answer_password(struct target_ref target, const char *request, const char *name, const char *password)
{
	const struct target *t = target_of(target);

	if (!t)
		return;
	t->browser->used_http_auth |= name != NULL;
	cdp_send(t->browser->cdp, t->session, "Fetch.continueWithAuth", CDP_TEXT("requestId", request),
		CDP_MAP("authChallengeResponse", CDP_TEXT("response", name ? "ProvideCredentials" : "CancelAuth"),
			CDP_TEXT("username", name), CDP_TEXT("password", name ? password : NULL)));
}

bool browser_used_http_auth(const struct browser *b)
{
	return b->used_http_auth;
}

/* What is answered is kept there for us only while it is watched for; what a form sends is not told: a password may be in it. */
void target_hear_answers(struct browser *b, const struct target *t)
{
	bool keeps = b->requests && b->requests->bodies;

	if (b->hears)
		cdp_send(b->cdp, t->session, "Network.enable", CDP_INT("maxTotalBufferSize", keeps ? MOST_KEPT : 0),
			CDP_INT("maxResourceBufferSize", keeps ? MOST_BODY : 0), CDP_INT("maxPostDataSize", 1));
	else
		cdp_send(b->cdp, t->session, "Network.disable");
}

static void hear_all(struct browser *b)
{
	struct target *t;

	TAILQ_FOREACH (t, &b->targets, link)
		if (t->session[0])
			target_hear_answers(b, t);
}

void browser_hear_answers(struct browser *b, bool on)
{
	if (b->hears == on)
		return;
	b->hears = on;
	hear_all(b);
}

void browser_watch_requests(struct browser *b, struct request_watch *w)
{
	bool kept = b->requests && b->requests->bodies;

	b->requests = w;
	if (b->hears && kept != (w && w->bodies))
		hear_all(b);
}
