#include "streamd/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "streamd/element.h"

const char *verdict_word(enum verdict v)
{
	switch (v) {
	case VERDICT_IN: return "in";
	case VERDICT_OUT: return "out";
	case VERDICT_INCONCLUSIVE: return "inconclusive";
	}
	return "inconclusive";
}

/* A probe under way. */
struct probing {
	struct target *page;
	const struct recipe *recipe;
	int64_t deadline;
	enum verdict verdict;
	char *account;
	char *why;
	size_t size;
};

static bool url_is_out(const struct probing *p)
{
	const struct recipe_probe_out *out = &p->recipe->probe.out;

	return recipe_any_url((const char *const *)out->url, out->url_count, p->page->url);
}

static void say_out(struct probing *p)
{
	p->verdict = VERDICT_OUT;
	snprintf(p->why, p->size, "%s says that nobody is signed in (%.200s).", p->recipe->title, p->page->url);
}

static void say_unreached(struct probing *p, const char *error)
{
	p->verdict = VERDICT_INCONCLUSIVE;
	snprintf(p->why, p->size, "%s could not be opened (%s), so nothing is known about the session.",
		p->recipe->probe.url, *error ? error : "no answer in time");
}

/* True once there is a verdict. */
static bool judge(struct probing *p, const struct element *e)
{
	if (url_is_out(p) || (!e->late && !e->moved && e->which == 1)) {
		say_out(p);
		return true;
	}
	if (e->late || e->moved || !recipe_account(&p->recipe->probe.in, e->text ? e->text : "", p->account, 257))
		return false;
	p->verdict = VERDICT_IN;
	return true;
}

/* One look, until the page changes or the time is up. */
static int look(struct probing *p, bool *ret_judged)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe_probe *r = &p->recipe->probe;
	const struct wish wishes[] = { { .at = r->in.at, .attribute = r->in.attribute }, { .at = r->out.at } };
	struct element e = { 0 };
	int64_t ms = p->deadline - loop_now();
	int result;

	if (url_is_out(p)) {
		say_out(p);
		*ret_judged = true;
		return 0;
	}
	result = element_wait(p->page, wishes, r->out.at ? 2 : 1, ms > 0 ? ms : 0, arena, &e);
	if (result == -EREMOTE) /* it went on to another document */
		return fiber_sleep_until(deadline_in(20));
	if (result < 0)
		return result;
	*ret_judged = judge(p, &e);
	if (!*ret_judged && !e.late && !e.moved) /* the mark is there and names nobody yet */
		return fiber_sleep_until(deadline_in(50));
	return 0;
}

int probe(struct target *page, const struct recipe *recipe, int64_t deadline, enum verdict *ret, char account[257],
	char *why, size_t size)
{
	struct probing p = { .page = page,
		.recipe = recipe,
		.deadline = deadline_min(deadline, deadline_in(recipe->probe.timeout_ms)),
		.account = account,
		.why = why,
		.size = size,
		.verdict = VERDICT_INCONCLUSIVE };
	char error[256] = "";
	bool judged = false;
	int r = page_navigate(page, recipe->probe.url, p.deadline, error, sizeof(error));

	if (r == -ECONNRESET || r == -ECANCELED)
		return r;
	if (r < 0 && r != -ETIMEDOUT) {
		say_unreached(&p, error);
		*ret = p.verdict;
		return 0;
	}
	snprintf(why, size, "%s showed neither the account nor that nobody is signed in; it stands at %.200s.",
		recipe->title, page->url);
	r = 0;
	while (r == 0 && !judged && loop_now() < p.deadline)
		r = look(&p, &judged);
	if (r == -ECONNRESET || r == -ECANCELED || r == -EPIPE)
		return r;
	*ret = p.verdict;
	return 0;
}
