#include "botd/resume.h"

#include <errno.h>
#include <string.h>

#include "botd/state.h"
#include "botd/job.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pause.h"
#include "proto/sessiond.h"

#define AGAIN_MS 1000
#define LONGEST_MS 8000
#define WRITE_MS 5000

/* Until it is written: nobody says it a second time. */
static int resume_take(struct botd *b, const struct session_watch_item *item)
{
	int64_t count = 0, pause = AGAIN_MS;
	int e = 0;

	if (strcmp(item->health, "working") != 0)
		return 0;
	while (e != -ECANCELED) {
		e = job_resume_all(b->db, item->user, item->site, item->version, deadline_in(WRITE_MS),
			&count);
		if (e == 0)
			break;
		if (pause == AGAIN_MS) /* once, however long it takes */
			log_warning("bookings that wait for a sign-in at %s could not be woken yet: %s", item->site,
				db_error(b->db)->text);
		e = fiber_sleep_until(deadline_in(pause));
		pause = pause_longer(pause, LONGEST_MS);
	}
	if (count > 0)
		log_info("%lld bookings at %s go on after a sign-in", (long long)count, item->site);
	return e;
}

static int resume_watch(struct botd *b, bool said)
{
	CLEANUP(call_freep) struct call *call = call_new(b, NULL, NEVER);
	struct session_watch_params params = {};
	struct session_watch_item item;
	struct peer_stream *stream = NULL;
	int e = open_session_watch(call, b->vault, &params, &stream);

	while (e == 0) {
		e = next_session_watch(stream, &item, NEVER);
		if (e == 0)
			e = resume_take(b, &item);
	}
	peer_stream_close(stream);
	if (e != -ECANCELED && !said)
		log_warning("cannot watch the sessions for now, so bookings that wait for a sign-in stay waiting: %s",
			e == -ENODATA ? "sessiond has ended the watch" : call_cause(call, e));
	return e;
}

void resume_run(void *botd)
{
	bool said = false;

	while (resume_watch(botd, said) != -ECANCELED) {
		said = true;
		if (fiber_sleep_until(deadline_in(AGAIN_MS)) < 0)
			return;
	}
}
