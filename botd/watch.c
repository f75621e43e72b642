/* A booking's log as it grows, and its state as it changes. */
#include <errno.h>
#include <string.h>

#include "botd/booking.h"
#include "botd/state.h"
#include "botd/lines.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"

#define PAGE    200
#define POLL_MS 5000 /* behind the notifications */
#define AWAY_MS 500  /* before a database that is away is asked again */

struct watching {
	struct call *call;
	int64_t id, after;
	char state[16]; /* as last told */
	int64_t attempts, step, next_look_at_ms;
	bool over, away; /* away: it has been told that the database is */
};

static int send_lines(struct watching *w)
{
	for (;;) {
		CLEANUP(arena_freep) struct arena *arena = arena_new(0);
		struct log_line *lines = NULL;
		size_t n = 0;
		int r = lines_read(w->call, booking_reader(w->call), w->id, w->after, PAGE, arena, &lines, &n);

		for (size_t i = 0; i < n && r == 0; i++) {
			struct booking_watch_item item = { .cursor = lines[i].n, .line = &lines[i] };

			r = send_booking_watch(w->call, &item);
			if (r == 0)
				w->after = lines[i].n;
		}
		if (r < 0 || n < PAGE)
			return r;
	}
}

static int send_booking(struct watching *w, struct booking_info *b)
{
	struct booking_watch_item item = { .booking = b };

	if (strcmp(b->state, w->state) == 0 && b->attempts == w->attempts && b->step == w->step &&
	    b->next_look_at_ms == w->next_look_at_ms)
		return 0;
	exact_set(w->state, sizeof(w->state), "%s", b->state);
	w->attempts = b->attempts;
	w->step = b->step;
	w->next_look_at_ms = b->next_look_at_ms;
	return send_booking_watch(w->call, &item);
}

/* What is told anew is told although it is the same. */
static void forget_told(struct watching *w)
{
	if (w->away)
		w->state[0] = '\0';
	w->away = false;
}

/*
 * The booking is read before the lines, so that the lines that led to its state are among them, and told after them. It
 * is read with a call of its own: this one may last for days, and its arena with it.
 */
static int watch_look(struct watching *w)
{
	CLEANUP(call_freep) struct call *own = call_new(w->call->daemon, &w->call->acting, botd_deadline(w->call));
	struct booking_info *booking;
	int r;

	own->role = w->call->role;
	r = booking_find(own, booking_reader(own), w->id, &booking);
	if (r == REFUSED)
		return booking_refuse(w->call, w->id);
	if (r == 0)
		r = send_lines(w);
	if (r == 0)
		forget_told(w);
	if (r == 0)
		r = send_booking(w, booking);
	w->over = r == 0 && (strcmp(booking->state, "done") == 0 || strcmp(booking->state, "cancelled") == 0);
	return r;
}

static bool database_is_away(int r)
{
	return r == -ENOTCONN || r == -ETIMEDOUT || r == -EBUSY;
}

/* Once, and the booking anew when the database is back, which ends it. */
static int tell_away(struct watching *w)
{
	struct booking_watch_item item = { .away = strcmp(w->state, "running") == 0
		? "Stead's database was lost. This goes on, or over again, when it is back."
		: "Stead's database was lost. This goes on when it is back." };

	if (w->away)
		return 0;
	w->away = true;
	return send_booking_watch(w->call, &item);
}

static int watch_watch(struct watching *w, struct watcher *news)
{
	bool began = false;

	for (;;) {
		int r = watch_look(w);

		if (w->over || (r < 0 && !(began && database_is_away(r))))
			return r;
		began = true;
		if (r < 0 && tell_away(w) < 0)
			return -ECANCELED;
		r = r < 0 ? fiber_sleep_until(deadline_in(AWAY_MS)) : watcher_wait(news, deadline_in(POLL_MS));
		if (r == -ESHUTDOWN)
			return call_refuse(w->call, ERR_unavailable, NULL, "botd ends; watch again in a moment.");
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
}

int booking_watch(struct call *call, const struct booking_watch_params *params)
{
	struct watching w = { .call = call, .id = params->id, .after = params->after };
	CLEANUP(watcher_freep) struct watcher *news = NULL;
	char number[24];

	exact_must(number, sizeof(number), "%lld", (long long)params->id);
	news = watcher_new(botd_of(call)->news, number);
	return watch_watch(&w, news);
}
