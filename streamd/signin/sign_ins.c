#include "streamd/signin/sign_ins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/random_name.h"
#include "common/words.h"
#include "streamd/browser/clip.h"
#include "streamd/edge/edge_routes.h"
#include "streamd/handlers.h"
#include "streamd/screen/viewer.h"

#define KEPT_ENDED   64     /* streams that have ended and can still be asked for */
#define MOST_LISTED  (256 + KEPT_ENDED) /* the setting most_streams at its most, and these; proto/streamd.def has the sum */
#define INSTANCE_HEX 8
#define REST_HEX     24

struct sign_ins {
	struct streamd *daemon;
	char instance[INSTANCE_HEX + 1]; /* of this life of the service: the first part of every name */
	TAILQ_HEAD(sign_in_list, sign_in) list; /* newest first */
};

/* Whoever is signed out of Stead has no browser here: not the person, and not somebody who was signed in as them. */
static void on_sign_ins_login_ended(void *sign_in)
{
	sign_in_end(sign_in, STEP_CLOSED, "You were signed out of Stead.",
		"Sign in to Stead again, then start the sign-in to the site again.");
}

struct sign_ins *sign_ins_new(struct streamd *d)
{
	struct sign_ins *all = must(calloc(1, sizeof(*all)));

	all->daemon = d;
	random_name(all->instance, INSTANCE_HEX / 2);
	TAILQ_INIT(&all->list);
	return all;
}

static void sign_ins_drop(struct sign_ins *all, struct sign_in *s)
{
	TAILQ_REMOVE(&all->list, s, link);
	if (all->daemon->routes)
		login_guard_release(edge_routes_guard(all->daemon->routes), &s->hold);
	sign_in_free(s);
}

static struct sign_in *one_open(const struct sign_ins *all)
{
	struct sign_in *s;

	TAILQ_FOREACH (s, &all->list, link)
		if (!s->ended_at_ms)
			break;
	return s;
}

void sign_ins_end(struct sign_ins *all)
{
	struct sign_in *s;

	TAILQ_FOREACH (s, &all->list, link) /* all at once, so that their browsers end together */
		sign_in_end_for_restart(s);
	while ((s = one_open(all)))
		sign_in_wait_ended(s, NEVER);
}

struct sign_ins *sign_ins_free(struct sign_ins *all)
{
	struct sign_in *s;

	if (!all)
		return NULL;
	while ((s = TAILQ_FIRST(&all->list)))
		sign_ins_drop(all, s);
	free(all);
	return NULL;
}

struct sign_ins_tally sign_ins_count(const struct sign_ins *all, int64_t user)
{
	struct sign_ins_tally n = { 0 };
	const struct sign_in *s;

	TAILQ_FOREACH (s, &all->list, link) {
		if (user && s->call->acting.user != user)
			continue;
		n.open += !s->ended_at_ms;
		n.browsers += s->screen->browser != NULL;
		n.viewers += viewers_count(&s->screen->viewers);
	}
	return n;
}

struct sign_in *sign_ins_find(struct sign_ins *all, const char *id)
{
	struct sign_in *s;

	TAILQ_FOREACH (s, &all->list, link)
		if (strcmp(s->id, id) == 0)
			return s;
	return NULL;
}

const char *sign_ins_why_gone(const struct sign_ins *all, const char *id)
{
	if (strlen(id) != INSTANCE_HEX + 1 + REST_HEX || id[INSTANCE_HEX] != '-')
		return NULL;
	if (strncmp(id, all->instance, INSTANCE_HEX) == 0)
		return "This sign-in ended a while ago. Look on the dashboard whether the session was saved.";
	return "This sign-in ended when Stead's stream service was restarted. Look on the dashboard whether the session was saved; if not, start again.";
}

static void make_id(struct sign_ins *all, char *out, size_t size)
{
	char hex[REST_HEX + 1];

	random_name(hex, REST_HEX / 2);
	exact_must(out, size, "%s-%s", all->instance, hex);
}

/* Forgets the oldest that have ended. In a fiber; none of them waits. */
static void forget_old(struct sign_ins *all)
{
	struct sign_in *s, *before;
	size_t ended = 0;

	TAILQ_FOREACH (s, &all->list, link)
		ended += s->ended_at_ms != 0;
	for (s = TAILQ_LAST(&all->list, sign_in_list); s && ended > KEPT_ENDED; s = before) {
		before = TAILQ_PREV(s, sign_in_list, link);
		if (s->ended_at_ms) {
			sign_ins_drop(all, s);
			ended--;
		}
	}
}

/* One that failed, and that the person has not gone on with: the oldest of theirs. */
static struct sign_in *failed_of_user(const struct sign_ins *all, int64_t user)
{
	struct sign_in *s;

	TAILQ_FOREACH_REVERSE (s, &all->list, sign_in_list, link)
		if (s->call->acting.user == user && sign_in_is_resumable(s))
			return s;
	return NULL;
}

static bool is_full(const struct streamd *d, int64_t user)
{
	return sign_ins_count(d->sign_ins, 0).open >= (size_t)d->settings.most_streams ||
		sign_ins_count(d->sign_ins, user).open >= (size_t)d->settings.most_streams_a_user;
}

/* Whoever begins anew has given up what failed: it holds no place that the new one needs. */
static int sign_ins_make_room(struct call *call, struct streamd *d)
{
	struct sign_in *s = is_full(d, call->acting.user) ? failed_of_user(d->sign_ins, call->acting.user) : NULL;

	if (!s || d->stopping)
		return 0;
	sign_in_end(s, STEP_CLOSED, "It had failed, and has made room for another sign-in that you began.", "Go on in the other one.");
	return sign_in_wait_ended(s, call->deadline);
}

static int check_limits(struct call *call, struct streamd *d)
{
	if (d->stopping)
		return call_refuse(call, ERR_unavailable, NULL, "Stead is being restarted; try again in a moment.");
	if (sign_ins_count(d->sign_ins, 0).open >= (size_t)d->settings.most_streams)
		return call_refuse(call, ERR_busy, NULL,
			"All %lld sign-ins that may be open at once are in use; try again when one has ended.",
			(long long)d->settings.most_streams);
	if (sign_ins_count(d->sign_ins, call->acting.user).open >= (size_t)d->settings.most_streams_a_user)
		return call_refuse(call, ERR_busy, NULL,
			"You have %lld sign-ins open already, as many as you may; close one on the dashboard first.",
			(long long)d->settings.most_streams_a_user);
	return 0;
}

/* What the vault would refuse at the end, after all that the person has done, is refused before. */
static int check_device(struct call *call, const struct stream_open_params *params)
{
	bool device = params->kind && strcmp(params->kind, "device") == 0;

	if (device != (params->fingerprint != NULL))
		return call_refuse(call, ERR_invalid, "fingerprint",
			"A device's session is named by kind \"device\" and a fingerprint; give both, or neither for the session that jobs run on.");
	if (device && strncmp(params->fingerprint, "bg-", 3) == 0)
		return call_refuse(call, ERR_invalid, "fingerprint",
			"What begins with \"bg-\" is the vault's own name for a background session; take another fingerprint.");
	return 0;
}

int stream_open(struct call *call, const struct stream_open_params *params, struct stream_open_result *result)
{
	struct streamd *d = call->daemon;
	CLEANUP(recipe_unrefp) const struct recipe *recipe = streamd_recipe(d, call, params->site);
	struct sign_in *s;
	char id[64];
	int r;

	if (!recipe)
		return REFUSED;
	r = check_device(call, params);
	if (r == 0)
		r = sign_ins_make_room(call, d);
	if (r == 0)
		r = check_limits(call, d);
	if (r < 0)
		return r;
	forget_old(d->sign_ins);
	make_id(d->sign_ins, id, sizeof(id));
	s = sign_in_open(d, id, &call->acting, recipe, params->width ? (int)params->width : 1280,
		params->height ? (int)params->height : 800);
	exact_must(s->device, sizeof(s->device), "%s", params->fingerprint ?: "");
	TAILQ_INSERT_HEAD(&d->sign_ins->list, s, link);
	s->hold = (struct login_hold){ .ended = on_sign_ins_login_ended, .owner = s };
	if (call->acting.login)
		login_guard_hold(edge_routes_guard(d->routes), &s->hold, call->acting.login);
	result->id = s->id;
	return 0;
}

static void sign_ins_describe(struct call *call, const struct sign_in *s, struct stream_info *ret)
{
	*ret = (struct stream_info){ .id = s->id,
		.site = s->recipe->name,
		.step = step_word(s->step),
		.reason = arena_strdup(call->arena, unless_empty(s->reason)),
		.advice = arena_strdup(call->arena, unless_empty(s->advice)),
		.resumable = sign_in_is_resumable(s),
		.fingerprint = arena_strdup(call->arena, sign_in_fingerprint(s)),
		.account = arena_strdup(call->arena, unless_empty(s->account)),
		.kept_account = arena_strdup(call->arena, unless_empty(s->asked.kept)),
		.reached = step_word(s->reached),
		.opened_at_ms = s->opened_at_ms,
		.user = call->role == ROLE_CONTROL ? s->call->acting.name : NULL };
}

static bool may_see(const struct call *call, const struct sign_in *s)
{
	return s->call->acting.user == call->acting.user || call->role == ROLE_CONTROL;
}

/* Somebody else's stream is not there, as far as anybody is told. */
static struct sign_in *find_own(struct call *call, const char *id)
{
	struct streamd *d = call->daemon;
	struct sign_in *s = sign_ins_find(d->sign_ins, id);
	const char *why;

	if (s && may_see(call, s))
		return s;
	why = s ? NULL : sign_ins_why_gone(d->sign_ins, id);
	if (why)
		call_refuse(call, ERR_ended, "id", "%s", why);
	else
		call_refuse(call, ERR_not_found, "id", "There is no such sign-in%s.",
			call->role == ROLE_CONTROL ? "" : ", or it is not yours");
	return NULL;
}

int stream_show(struct call *call, const struct stream_show_params *params, struct stream_show_result *result)
{
	struct sign_in *s = find_own(call, params->id);

	if (!s)
		return REFUSED;
	result->stream = arena_alloc(call->arena, sizeof(*result->stream));
	sign_ins_describe(call, s, result->stream);
	return 0;
}

int stream_list(struct call *call, const struct stream_list_params *, struct stream_list_result *result)
{
	struct streamd *d = call->daemon;
	struct sign_in *s;

	result->streams = arena_array(call->arena, MOST_LISTED, sizeof(*result->streams));
	TAILQ_FOREACH (s, &d->sign_ins->list, link)
		if (may_see(call, s) && result->streams_count < MOST_LISTED)
			sign_ins_describe(call, s, &result->streams[result->streams_count++]);
	return 0;
}

int stream_close(struct call *call, const struct stream_close_params *params, struct stream_close_result *)
{
	struct sign_in *s = find_own(call, params->id);

	if (!s)
		return REFUSED;
	sign_in_end(s, STEP_CLOSED, call->role == ROLE_CONTROL ? "The administrator closed it." : "You closed it.", "");
	return sign_in_wait_ended(s, call->deadline);
}
