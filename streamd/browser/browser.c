#include "streamd/browser/browser_inside.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/egress_rule.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "proto/launcher.h"
#include "recipe/recipe.h"
#include "streamd/browser/launch.h"
#include "streamd/browser/page.h"
#include "streamd/browser/user_agent.h"
#include "streamd/settings.h"

#define START_MS 45000 /* on a machine that is small and busy, a browser takes ten */
#define END_MS   3000
#define PULSE_MS 3000 /* between two questions whether the browser is alive */
#define HUNG_MS  15000 /* without an answer it counts as hung, once it has started */
#define WORDS_MS 2000  /* the launcher's, about a browser whose pipe has closed */

static void end(struct browser *b, const char *why)
{
	struct event_wait *w;

	if (b->ended[0])
		return;
	words_set(b->ended, sizeof(b->ended), "%s", why);
	LIST_FOREACH (w, &b->waits, link)
		latch_wake(&w->latch, -ECONNRESET);
	latch_wake(&b->first_page, -ECONNRESET);
	if (!b->closing && b->events->ended)
		b->events->ended(b->owner, b->ended);
}

/* The launcher knows more of it, and is about to say so, unless it was we who gave it up. */
static void on_browser_closed(struct cdp *, void *owner, const char *why)
{
	struct browser *b = owner;

	b->given_up = why;
	latch_wake(&b->rest, -ECONNRESET);
}

static const struct cdp_events cdp_events = { .event = targets_event, .closed = on_browser_closed };

static void note_refused(struct browser *b, const char *host, const char *why)
{
	struct refused *r = &b->refused[b->refused_count];

	if (b->refused_count == BROWSER_MOST_REFUSED || !exact_set(r->host, sizeof(r->host), "%s", host))
		return;
	words_set(r->why, sizeof(r->why), "%s", why);
	b->refused_count++;
}

static void take_news(struct browser *b, const struct browser_watch_item *item)
{
	const struct browser_events *e = b->events;

	if (item->refused_host)
		note_refused(b, item->refused_host, item->refused_why ?: "It was refused.");
	if (item->refused_host && e->host_refused && !b->closing)
		e->host_refused(b->owner, item->refused_host, item->refused_why ?: "It was refused.");
	if (item->unreached_host && e->host_unreached && !b->closing)
		e->host_unreached(b->owner, item->unreached_host, item->unreached_why ?: "It could not be reached.");
	if (item->refused_app && e->app_refused && !b->closing)
		e->app_refused(b->owner, item->refused_app);
	if (item->ended)
		end(b, item->ended);
}

/* Follows what the launcher says of the browser until it has ended. */
static void follow_launcher(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, NEVER);
	struct browser *b = arg;
	struct browser_watch_params params;
	struct browser_watch_item item;
	struct peer_stream *stream = NULL;
	int r = open_browser_watch(call, b->launcher, &params, &stream);

	while (r == 0 && (r = next_browser_watch(stream, &item, NEVER)) == 0)
		take_news(b, &item);
	peer_stream_close(stream);
	if (r != -ECANCELED)
		end(b, "The browser's launcher has ended unexpectedly.");
}

static int browser_rest(struct browser *b)
{
	int r = latch_wait(&b->rest, deadline_in(PULSE_MS));

	return r == -ETIMEDOUT ? 0 : r;
}

/* A browser that hangs answers nothing more and says nothing of it, so it is asked. */
static void pulse(void *arg)
{
	struct browser *b = arg;
	int r = 0;

	while (r == 0 && !b->ended[0]) {
		r = browser_rest(b);
		if (r == 0)
			r = cdp_call(b->cdp, "", "Browser.getVersion", deadline_in(b->started ? HUNG_MS : START_MS), NULL);
	}
	if (r == -ETIMEDOUT) {
		end(b, "The browser stopped answering.");
		cdp_give_up(b->cdp, b->ended);
	} else if (b->given_up) {
		end(b, b->given_up);
	} else if (r == -ECONNRESET && fiber_sleep_until(deadline_in(WORDS_MS)) == 0) {
		end(b, "The browser has ended unexpectedly.");
	}
}

/* Else one whose streamd is killed lets go of what is held back, before it ends. */
static int browser_ask_keep(struct browser *b, struct call *call, int fd)
{
	struct browser_keep_params params = { .cdp = fd };
	struct browser_keep_result result;

	return b->events->acts ? call_browser_keep(call, b->launcher, &params, &result) : 0;
}

static struct browser_start_params start_params(const struct browser *b, const struct streamd_settings *s,
	const struct recipe *recipe, bool cut)
{
	return (struct browser_start_params){ .chromium = s->chromium,
		.hosts = (const char **)recipe->hosts,
		.hosts_count = recipe->hosts_count,
		.private_addresses = (const char **)recipe->private_addresses,
		.private_addresses_count = recipe->private_addresses_count,
		.pins = (const char **)s->pin.items,
		.pins_count = s->pin.count,
		.trusted_keys = (const char **)s->trusted_key.items,
		.trusted_keys_count = s->trusted_key.count,
		.width = b->environment.width,
		.height = b->environment.height,
		.screen_width = b->environment.screen.width,
		.screen_height = b->environment.screen.height,
		.color_depth = b->environment.screen.color_depth,
		.user_agent = b->environment.user_agent ? b->environment.user_agent : user_agent_known(s->chromium),
		.languages = b->environment.languages,
		.time_zone = b->environment.time_zone,
		.http_auth = b->events->password != NULL,
		.egress_cut = cut };
}

/* Of what is wrong with it the launcher tells. */
static void go_by_rule(struct browser *b, const struct browser_start_params *p)
{
	const struct egress_words hosts = { p->hosts, p->hosts_count }, pins = { p->pins, p->pins_count };
	const struct egress_words addresses = { p->private_addresses, p->private_addresses_count };
	struct egress_rule *rule = NULL;
	const char *field;
	char why[EGRESS_WHY];

	if (b->act && egress_rule_new(hosts, addresses, pins, &rule, &field, why) == 0)
		act_go_by(b->act, rule);
}

static int browser_ask_start(struct browser *b, struct call *call, const struct streamd_settings *s,
	const struct recipe *recipe, bool cut, int *ret)
{
	struct browser_start_params p = start_params(b, s, recipe, cut);
	struct browser_start_result result;
	int ends[2];
	int r = launch_socketpair(ends);

	if (r < 0)
		return r;
	p.cdp = ends[1];
	go_by_rule(b, &p);
	r = call_browser_start(call, b->launcher, &p, &result);
	close(ends[1]);
	if (r == 0)
		r = browser_ask_keep(b, call, ends[0]);
	if (r < 0) {
		if (r == REFUSED)
			log_warning("no browser was started for %s: %s", recipe->name, call_cause(call, r));
		close(ends[0]);
		return r;
	}
	b->environment.agent = arena_strdup(b->arena, result.user_agent);
	if (!p.user_agent)
		user_agent_keep(s->chromium, result.user_agent);
	*ret = ends[0];
	return 0;
}

static int wait_first_page(struct browser *b, int64_t deadline)
{
	return browser_page(b) ? 0 : latch_wait(&b->first_page, deadline);
}
/* The filter keeps out what a Chromium whose flags have changed may have of its own. */
static int browser_attach(struct browser *b, int64_t deadline)
{
	int r = cdp_call(b->cdp, "", "Target.setDiscoverTargets", deadline, NULL, CDP_BOOL("discover", true));

	if (r == 0 && b->act)
		r = act_prepare(b->act, deadline);
	if (r == 0)
		r = cdp_call(b->cdp, "", "Target.setAutoAttach", deadline, NULL, CDP_BOOL("autoAttach", true),
			CDP_BOOL("waitForDebuggerOnStart", true), CDP_BOOL("flatten", true),
			CDP_LIST("filter", CDP_MAP(NULL, CDP_TEXT("type", "page")),
				CDP_MAP(NULL, CDP_TEXT("type", "iframe"))));
	if (r == 0)
		cdp_send(b->cdp, "", "Browser.setDownloadBehavior", CDP_TEXT("behavior", "deny"),
			CDP_BOOL("eventsEnabled", b->events->download != NULL));
	if (r == 0)
		r = wait_first_page(b, deadline);
	return r == 0 ? page_wait_enabled(target_ref_of(browser_page(b)), deadline) : r;
}

static void keep_environment(struct browser *b, const struct environment *e)
{
	b->environment = *e;
	b->environment.user_agent = arena_strdup(b->arena, e->user_agent);
	b->environment.agent = NULL; /* it says so itself */
	b->environment.languages = arena_strdup(b->arena, e->languages);
	b->environment.time_zone = arena_strdup(b->arena, e->time_zone);
	b->environment.locale = arena_strdup(b->arena, e->locale);
}

const char *browser_why_ended(struct browser *b)
{
	event_await(b, "", "", deadline_in(2 * WORDS_MS)); /* no event has this name: it waits for the end */
	return browser_ended(b);
}

/* It was started, but then nothing came of it: because it has ended, which has a reason, or because it is silent. */
static int refuse_silent(struct browser *b, struct call *call, int r)
{
	const char *why = r == -ECONNRESET ? browser_why_ended(b) : NULL;

	if (r == REFUSED || r == -ECANCELED)
		return r;
	if (why)
		return call_refuse(call, ERR_unavailable, NULL, "%s It had just been started; try again.", why);
	return call_refuse(call, ERR_unavailable, NULL,
		"The browser was started but does not answer; try again, and if it stays so, the administrator finds more in streamd's journal.");
}

struct browser *browser_new(const struct environment *environment, const struct browser_events *events, void *owner)
{
	struct browser *b = must(calloc(1, sizeof(*b)));

	b->events = events;
	b->owner = owner;
	b->act = events->acts ? act_new(b) : NULL;
	TAILQ_INIT(&b->targets);
	LIST_INIT(&b->waits);
	b->arena = arena_new(0);
	keep_environment(b, environment);
	return b;
}

int browser_speak(struct browser *b, int fd, int64_t deadline)
{
	int r;

	b->cdp = cdp_new(fd, &cdp_events, b);
	fiber_start("browser pulse", pulse, b, &b->pulse);
	r = browser_attach(b, deadline);
	b->started = r == 0;
	if (r == 0 && b->events->opened)
		b->events->opened(b->owner, b);
	return r;
}

int browser_open(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct environment *environment, bool cut, const struct browser_events *events, void *owner,
	struct browser **ret)
{
	struct browser *b = browser_new(environment, events, owner);
	int64_t deadline = deadline_min(call->deadline, deadline_in(START_MS));
	int fd, r;

	r = launch_connect(call, settings->launcher, &b->launcher);
	if (r == 0)
		r = browser_ask_start(b, call, settings, recipe, cut, &fd);
	if (r == 0) {
		fiber_start("browser watch", follow_launcher, b, &b->watcher);
		r = browser_speak(b, fd, deadline);
		if (r < 0)
			r = refuse_silent(b, call, r);
	}
	if (r < 0) {
		browser_close(b);
		return r;
	}
	*ret = b;
	return 0;
}

/* Asks the launcher to end it; closing the connection has the same effect, so a launcher that hangs is no excuse. */
static void end_browser(struct browser *b)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(END_MS));
	struct browser_end_params params;
	struct browser_end_result result;
	int r = call_browser_end(call, b->launcher, &params, &result);

	if (r < 0)
		log_debug("the launcher did not confirm the end of a browser: %s", call_why(call, r));
}

struct browser *browser_close(struct browser *b)
{
	if (!b)
		return NULL;
	b->closing = true;
	fiber_shield();
	if (b->events->closing)
		b->events->closing(b->owner);
	if (b->launcher && b->cdp)
		end_browser(b);
	fiber_cancel(b->watcher);
	fiber_cancel(b->pulse);
	fiber_join(&b->watcher);
	fiber_join(&b->pulse);
	b->act = act_free(b->act);
	fiber_unshield();
	b->launcher = peer_free(b->launcher);
	b->cdp = cdp_free(b->cdp);
	targets_free(b);
	b->blank = blank_free(b->blank);
	arena_free(b->arena);
	free(b);
	return NULL;
}

void browser_room_words(struct browser *b, struct call *call, char *out, size_t size)
{
	struct browser_room_params params;
	struct browser_room_result result;
	int r = b->launcher ? call_browser_room(call, b->launcher, &params, &result) : -ENOTCONN;

	words_set(out, size, "%s", "");
	if (r < 0)
		return;
	words_set(out, size, "Only %lld MB are free on the server.", (long long)result.free_kib / 1024);
	log_warning("only %lld KiB are free below %s, where browsers have their profiles", (long long)result.free_kib, result.directory);
}

int browser_set_network(struct browser *b, struct call *call, bool open)
{
	struct egress_set_params params = { .open = open };
	struct egress_set_result result;

	return b->launcher ? call_egress_set(call, b->launcher, &params, &result) : -ENOTCONN;
}
