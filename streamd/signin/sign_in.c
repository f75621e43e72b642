#include "streamd/signin/sign_in.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "state/state.h"
#include "streamd/browser/clip.h"

#define WARN_MS        120000 /* before the end for want of input */
#define SAVE_MOMENT_MS 2000 /* how long one that ends waits for the answer to a save */

const char *step_word(enum sign_in_step step)
{
	static const char *const words[] = { [STEP_STARTING] = "starting", [STEP_WAITING] = "waiting",
		[STEP_SIGNED_IN] = "signed_in", [STEP_PROVING] = "proving", [STEP_SAVED] = "saved", [STEP_FAILED] = "failed",
		[STEP_TIMED_OUT] = "timed_out", [STEP_CLOSED] = "closed" };

	return words[step];
}

static bool is_final(enum sign_in_step step)
{
	return step == STEP_SAVED || step == STEP_FAILED || step == STEP_TIMED_OUT || step == STEP_CLOSED;
}

bool sign_in_is_resumable(const struct sign_in *s)
{
	return s->step == STEP_FAILED && !s->ending;
}

const char *sign_in_kind(const struct sign_in *s)
{
	return *s->device ? "device" : NULL;
}

const char *sign_in_fingerprint(const struct sign_in *s)
{
	return *s->device ? s->device : NULL;
}

void sign_in_describe_step(const struct sign_in *s, struct step_changed_event *ret)
{
	*ret = (struct step_changed_event){ .step = step_word(s->step),
		.reason = unless_empty(s->reason),
		.advice = unless_empty(s->advice),
		.resumable = sign_in_is_resumable(s),
		.account = unless_empty(s->account),
		.kept_account = unless_empty(s->asked.kept),
		.reached = step_word(s->reached),
		.ends_at_ms = s->ended_at_ms ? 0 : wall_now() + (s->deadline - loop_now()) };
}

static void tell_step(struct sign_in *s)
{
	struct step_changed_event event;

	sign_in_describe_step(s, &event);
	screen_tell(s->screen, &method_step_changed, &event);
}

/* The texts may be those that it has already. */
static void set_step(struct sign_in *s, enum sign_in_step step, const char *reason, const char *advice)
{
	s->step = step;
	s->screen->driven = step == STEP_WAITING;
	/* A dialog would keep the page from being captured. */
	s->screen->unattended = step == STEP_SIGNED_IN || step == STEP_PROVING;
	if (!is_final(step) || step == STEP_SAVED)
		s->reached = step;
	if (reason != s->reason)
		words_set(s->reason, sizeof(s->reason), "%s", reason);
	if (advice != s->advice)
		words_set(s->advice, sizeof(s->advice), "%s", advice);
}

void sign_in_set_step(struct sign_in *s, enum sign_in_step step, const char *reason, const char *advice)
{
	set_step(s, step, reason, advice);
	log_info("sign-in %s to %s: %s%s%s", s->id, s->recipe->name, step_word(step), *reason ? ": " : "", reason);
	tell_step(s);
}

void sign_in_poke(struct sign_in *s)
{
	latch_wake(&s->poked, 0);
}

static int64_t idle_ms(const struct sign_in *s)
{
	return s->daemon->settings.stream_idle_s * 1000;
}

/* Until its browser is there nobody could do anything. */
static int64_t idle_end(const struct sign_in *s)
{
	return s->step == STEP_STARTING ? NEVER : s->last_input + idle_ms(s);
}

/* The earliest of: nobody does anything, nobody looks, it has been open long enough. */
static int64_t next_timeout(const struct sign_in *s)
{
	const struct streamd_settings *t = &s->daemon->settings;
	int64_t unseen = viewers_count(&s->screen->viewers) ? NEVER : s->last_seen + t->stream_unseen_s * 1000;

	return deadline_min(s->deadline, deadline_min(idle_end(s), unseen));
}

void sign_in_describe_limit(const struct sign_in *s, struct limit_changed_event *ret)
{
	int64_t end = deadline_min(s->deadline, idle_end(s));

	*ret = (struct limit_changed_event){ .ends_at_ms = wall_now() + (end - loop_now()),
		.limit = end == s->deadline ? "absolute" : "idle",
		.soon = s->warned };
}

static void tell_limit(struct sign_in *s)
{
	struct limit_changed_event event;

	sign_in_describe_limit(s, &event);
	screen_tell(s->screen, &method_limit_changed, &event);
}

/*
 * Before nobody has done anything for too long, whoever looks is asked whether they are still there, early enough to be read
 * and answered (WCAG 2.2, success criterion 2.2.1).
 */
static int64_t next_warning(const struct sign_in *s)
{
	int64_t early = idle_ms(s) / 2 < WARN_MS ? idle_ms(s) / 2 : WARN_MS;

	return s->warned ? NEVER : idle_end(s) - early;
}

void sign_in_arm(struct sign_in *s)
{
	if (!s->ending)
		loop_arm(s->timer, deadline_min(next_timeout(s), next_warning(s)) - loop_now());
}

/* "3 minutes", "90 seconds". */
static const char *span(int64_t seconds, char text[32])
{
	bool minutes = seconds >= 120 && seconds % 60 == 0;

	exact_must(text, 32, "%lld %s", (long long)(minutes ? seconds / 60 : seconds), minutes ? "minutes" : "seconds");
	return text;
}

static void on_sign_in_timer(evutil_socket_t, short, void *arg)
{
	struct sign_in *s = arg;
	const struct streamd_settings *t = &s->daemon->settings;
	int64_t now = loop_now();
	char why[256], text[32];

	if (s->ending) { /* the save has had its moment */
		fiber_cancel(s->flow);
		return;
	}
	if (now < next_timeout(s)) {
		if (now >= next_warning(s)) {
			s->warned = true;
			tell_limit(s);
		}
		sign_in_arm(s);
		return;
	}
	if (now >= s->deadline)
		words_set(why, sizeof(why), "The sign-in was open for %s, the longest that is allowed.",
			span(t->stream_absolute_s, text));
	else if (now >= idle_end(s))
		words_set(why, sizeof(why), "Nothing was done for %s.", span(t->stream_idle_s, text));
	else
		words_set(why, sizeof(why), "Nobody looked at it for %s.", span(t->stream_unseen_s, text));
	sign_in_end(s, STEP_TIMED_OUT, why, "Start the sign-in again.");
}

void sign_in_note_input(struct sign_in *s)
{
	s->last_input = loop_now();
	if (!s->warned)
		return;
	s->warned = false;
	tell_limit(s);
	sign_in_arm(s);
}

struct sign_in *sign_in_new(struct streamd *d, const char *id, const struct acting *acting, const struct recipe *recipe,
	const struct screen_owner *does, int width, int height)
{
	struct sign_in *s = must(calloc(1, sizeof(*s)));

	s->daemon = d;
	exact_must(s->id, sizeof(s->id), "%s", id);
	s->call = call_new(d, acting, NEVER);
	s->recipe = recipe_ref(recipe);
	s->opened_at_ms = wall_now();
	s->last_input = s->last_seen = loop_now();
	s->deadline = deadline_in(d->settings.stream_absolute_s * 1000);
	s->screen = screen_new(s->recipe, (int)d->settings.quality, does, s);
	screen_set_size(s->screen, width, height);
	s->timer = loop_timer(on_sign_in_timer, s);
	sign_in_arm(s);
	return s;
}

void sign_in_say_fate(struct sign_in *s)
{
	static const char *const fates[] = { [SAVE_NONE] = "Nothing was saved.",
		[SAVE_UNKNOWN] = "It is not known whether the session was saved: look on the dashboard whether it is there.",
		[SAVE_KEPT] = "The session was saved." };

	words_set(s->advice, sizeof(s->advice), "%s%s%s", fates[s->save], *s->next ? " " : "", s->next);
}

void sign_in_end(struct sign_in *s, enum sign_in_step step, const char *reason, const char *next)
{
	if (s->ending || s->ended_at_ms)
		return;
	s->ending = s->screen->ending = true;
	s->asked = (struct replacement){ 0 };
	set_step(s, step, reason, "");
	words_set(s->next, sizeof(s->next), "%s", next);
	sign_in_say_fate(s);
	if (s->saving)
		loop_arm(s->timer, SAVE_MOMENT_MS);
	else
		fiber_cancel(s->flow);
}

void sign_in_end_for_restart(struct sign_in *s)
{
	char verdict[sizeof(s->reason)];

	if (s->step != STEP_FAILED) {
		sign_in_end(s, STEP_CLOSED, "Stead is being restarted.", "Start the sign-in again in a moment.");
		return;
	}
	exact_must(verdict, sizeof(verdict), "%s", s->reason);
	sign_in_end(s, STEP_FAILED, verdict, "Stead was restarted since, and its browser is gone. Start the sign-in again.");
}

void sign_in_set_ended(struct sign_in *s)
{
	s->ended_at_ms = wall_now();
	latch_wake(&s->ended, 0);
}

int sign_in_wait_ended(struct sign_in *s, int64_t deadline)
{
	return s->ended_at_ms ? 0 : latch_wait(&s->ended, deadline);
}

struct sign_in *sign_in_free(struct sign_in *s)
{
	if (!s)
		return NULL;
	sign_in_end_for_restart(s);
	fiber_join(&s->flow);
	event_free(s->timer);
	s->screen = screen_free(s->screen);
	state_free(s->before);
	state_free(s->refused);
	call_free(s->call);
	recipe_unref(s->recipe);
	free(s);
	return NULL;
}
