/* The cookies that a run's browser holds, for what botd asks of the site beside it. */
#include <errno.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "state/writer.h"
#include "streamd/browser/cdp.h"
#include "streamd/run/runs_inside.h"

#define COOKIES_MS 5000

static int64_t cookies_deadline(const struct call *call)
{
	return deadline_min(deadline_in(COOKIES_MS), call->deadline - RUN_ANSWER_MS / 5);
}

/* One that the site took out is gone from the browser, too: one that has ended takes the place of the same one, and goes. */
static int delete_cookie(struct run *run, const struct state_cookie *c, int64_t deadline)
{
	const struct cdp_arg key = CDP_MAP("partitionKey", CDP_TEXT("topLevelSite", c->partition),
		CDP_BOOL("hasCrossSiteAncestor", c->cross_site_ancestor));
	const struct cdp_arg none = { 0 };

	return cdp_call(browser_cdp(run->browser), "", "Storage.setCookies", deadline, NULL,
		CDP_LIST("cookies", CDP_MAP(NULL, CDP_TEXT("name", c->name), CDP_TEXT("value", ""), CDP_TEXT("domain", c->domain),
			CDP_TEXT("path", c->path), CDP_BOOL("secure", c->secure), CDP_REAL("expires", 1), c->partition ? key : none)));
}

static bool is_among(const struct state *s, const struct state_cookie *c)
{
	for (size_t i = 0; i < state_cookie_count(s); i++)
		if (state_cookie_is(state_cookie_at(s, i), c))
			return true;
	return false;
}

static int read_cookies(struct run *run, int64_t deadline, struct state **ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	CLEANUP(state_writer_freep) struct state_writer *w = NULL;
	int r = cdp_call(browser_cdp(run->browser), "", "Storage.getCookies", deadline, &reply);

	if (r < 0)
		return r;
	w = state_writer_new(run->recipe->name, wall_now(), browser_environment(run->browser));
	r = state_writer_cookies(w, cbor_get(reply.result, "cookies"));
	return r < 0 ? r : state_writer_finish(w, ret);
}

/* What the site has set is set, and what it has taken out goes. */
static int write_cookies(struct run *run, const struct state *wanted, int64_t deadline)
{
	CLEANUP(state_freep) struct state *there = NULL;
	int r = read_cookies(run, deadline, &there);

	if (r == 0 && state_cookie_count(wanted))
		r = cdp_call(browser_cdp(run->browser), "", "Storage.setCookies", deadline, NULL,
			CDP_VALUE("cookies", state_cookies(wanted)));
	for (size_t i = 0; r == 0 && i < state_cookie_count(there); i++)
		if (!is_among(wanted, state_cookie_at(there, i)))
			r = delete_cookie(run, state_cookie_at(there, i), deadline);
	return r;
}

static int set_given(struct call *call, struct run *run, int fd)
{
	CLEANUP(state_freep) struct state *wanted = NULL;
	char why[256];

	if (fd < 0)
		return 0;
	if (state_read_memfd(fd, &wanted, why, sizeof(why)) < 0)
		return call_refuse(call, ERR_invalid, "set", "The cookies cannot be read: %s.", why);
	return write_cookies(run, wanted, cookies_deadline(call));
}

int run_cookies(struct call *call, const struct run_cookies_params *params, struct run_cookies_result *result)
{
	CLEANUP(state_freep) struct state *there = NULL;
	struct visit v;
	struct run *run = run_begin_work(call, params->run, &v);
	int r;

	result->state = -1;
	if (!run)
		return REFUSED;
	r = set_given(call, run, params->set);
	if (r == 0)
		r = read_cookies(run, cookies_deadline(call), &there);
	if (r == 0)
		r = state_memfd(there, &result->state);
	return run_end_work(run, call, &v, params->set >= 0, r);
}
