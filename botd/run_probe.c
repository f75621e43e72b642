/* A session in our own hands: whether it works, by what the site's probe answers over HTTP; before it is used, and after. */
#include <errno.h>
#include <string.h>

#include "botd/run_inside.h"
#include "botd/state.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/pattern.h"

#define PROBE_MS 20000

static const struct step *probe_step(struct arena *arena, const struct recipe_probe_request *p)
{
	struct step *s = arena_alloc(arena, sizeof(*s));

	*s = (struct step){ .step = "request", .method = p->method ? p->method : "GET", .url = p->url, .json = p->json, .headers = p->headers, .headers_count = p->headers_count };
	return s;
}

static bool says_out(const struct recipe_probe_request *p, const struct said *s)
{
	for (size_t i = 0; i < p->out_count; i++)
		if (answer_fits(&p->out[i], &s->answer))
			return true;
	return s->out || s->answer.status == 401;
}

/* The account that it names, or why it cannot be told whether anybody is signed in. */
static const char *find_account(
	struct arena *arena, const struct recipe_probe_request *p, const struct said *s, const char **ret_reason)
{
	const char *text = answer_value(arena, s->answer.json, p->account);
	char name[257];

	if (text && account_match(p->pattern ? p->pattern : "*", text, name, sizeof(name)))
		return arena_strdup(arena, name);
	*ret_reason = arena_printf(arena, "It answered with status %d, and %s.", s->answer.status,
		!s->answer.json ? "that is no JSON" : arena_printf(arena, "no account stands at %s", p->account));
	return NULL;
}

static void tell(struct run_open_result *ret, const char *verdict, const char *reason)
{
	ret->verdict = verdict;
	ret->reason = reason;
}

static void judge_probe(struct run *r, struct arena *arena, const struct said *s, struct run_open_result *ret)
{
	const struct recipe_probe_request *p = r->recipe->probe.request;
	const char *account, *reason = NULL;

	if (says_out(p, s)) {
		tell(ret, "out", arena_printf(arena, "%s asks to sign in again: its probe answered with status %d.", r->recipe->title, s->answer.status));
		return;
	}
	if (said_is_down(s)) {
		ret->retry_ms = s->retry_ms;
		tell(ret, "down", arena_printf(arena, "%s is not well: its probe answered with status %d.", r->recipe->title, s->answer.status));
		return;
	}
	account = find_account(arena, p, s, &reason);
	if (account && strcmp(account, r->account) != 0) {
		ret->shown_account = account;
		tell(ret, "out", arena_printf(arena, "%s shows the account \"%s\"; the session is that of \"%s\".", r->recipe->title, account, r->account));
		return;
	}
	tell(ret, account ? "in" : "inconclusive", reason);
}

/* 0; or -ECANCELED. */
static int ask_probe(struct run *r, struct arena *arena, struct run_open_result *ret)
{
	const struct step *step = probe_step(arena, r->recipe->probe.request);
	CLEANUP(said_end) struct said s = { 0 };
	char why[HTTP_WHY];
	int e = direct_ask(r->direct, step, deadline_in(PROBE_MS), arena, &s, why);

	if (e == -ECANCELED)
		return e;
	if (e == 0)
		judge_probe(r, arena, &s, ret);
	else
		tell(ret, e == -EACCES || e == -EINVAL ? "inconclusive" : "down", arena_strdup(arena, why));
	return 0;
}

static bool is_out(const struct run_open_result *ret)
{
	return strcmp(ret->verdict, "out") == 0 && !ret->shown_account;
}

/* Only two looks that agree count. */
static int ask_twice(struct run *r, struct arena *arena, struct run_open_result *ret)
{
	int e = ask_probe(r, arena, ret);

	if (e == 0 && is_out(ret))
		e = fiber_sleep_until(deadline_in(r->recipe->probe.second_look_ms));
	return e == 0 && is_out(ret) ? ask_probe(r, arena, ret) : e;
}

int direct_run_open(struct run *r, struct run_open_result *ret, struct ending *end)
{
	char why[HTTP_WHY];

	r->direct = direct_free(r->direct);
	if (direct_new(r->botd, r->recipe, r->state, &r->direct, why) < 0)
		return ending_set(end, ENDING_AGAIN, "The session for %s cannot be read: %s", r->recipe->title, why);
	reply_end(&r->reply);
	r->reply.arena = arena_new_secret(0);
	if (ask_twice(r, r->reply.arena, ret) < 0) {
		ending_set(end, ENDING_INTERRUPTED, "It was interrupted.");
		return -ECANCELED;
	}
	if (strcmp(ret->verdict, "in") != 0 && direct_changed(r->direct))
		direct_memfd(r->direct, &ret->state);
	return 0;
}

int direct_run_close(struct run *r, bool prove, int64_t *ret_proved_at_ms)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	struct run_open_result looked = { .verdict = "" };
	int state = -1;

	if (!direct_changed(r->direct))
		return -1;
	if (prove && ask_probe(r, arena, &looked) == 0 && strcmp(looked.verdict, "in") == 0)
		*ret_proved_at_ms = wall_now();
	if (direct_memfd(r->direct, &state) < 0)
		return -1;
	return state;
}
