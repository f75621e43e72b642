/*
 * What tests of streamd's talk with Chromium share: a browser of streamd's whose other end is tests/fuzz/fake_chromium.h,
 * with a page (target T0, session S0) and in it a frame of another process (T1, S1), and time that passes at once.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "streamd/browser/browser_inside.h"
#include "tests/fuzz/fake_chromium.h"
#include "tests/fuzz/virtual_time.h"

struct chromium_test {
	void (*run)(struct browser *b);
	const struct browser_events *events;
	void *owner;
};

static const struct browser_events rig_no_events;

static inline void rig_run(void *arg)
{
	const struct environment environment = { .width = 800, .height = 600 };
	const struct chromium_test *test = arg;
	struct browser *b = browser_new(&environment, test->events, test->owner);

	assert_int_equal(browser_speak(b, fake_begin(NULL, 0), deadline_in(20000)), 0);
	fake.script = NULL;
	test->run(b);
	browser_close(b);
	fake_free();
}

/*
 * Runs it on a fiber. An assertion that fails leaves the fiber by a long jump, and nothing can run after that: the program
 * ends with what it has said.
 */
static inline void with_chromium_told(void (*run)(struct browser *b), const struct browser_events *events, void *owner)
{
	struct chromium_test test = { run, events, owner };
	static bool under_way;
	struct fiber *f = NULL;

	if (under_way)
		exit(EXIT_FAILURE);
	under_way = true;
	assert_int_equal(loop_init(), 0);
	fiber_start("test", rig_run, &test, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	under_way = false;
}

static inline void with_chromium(void (*run)(struct browser *b))
{
	with_chromium_told(run, &rig_no_events, NULL);
}

/* Chromium says this, with id (0: it is an event) in this session. */
static inline void rig_say(int64_t id, const char *session, const char *name, const char *what, const char *shape)
{
	fake.value = 0;
	memset(fake.lie_at, 0, sizeof(fake.lie_at));
	cbor_cdp_map_begin(fake.out);
	if (id) {
		cbor_put_text(fake.out, "id");
		cbor_put_int(fake.out, id);
	} else {
		cbor_put_text(fake.out, "method");
		cbor_put_text(fake.out, name);
	}
	fake_put_session(session);
	cbor_put_text(fake.out, what);
	fake_put_shape(shape);
	cbor_cdp_map_end(fake.out);
	fake_send();
}

static inline void rig_answer(int64_t id, const char *session, const char *shape)
{
	rig_say(id, session, NULL, "result", shape);
}

static inline void rig_event(const char *session, const char *method, const char *shape)
{
	rig_say(0, session, method, "params", shape);
}

/* Until everything that was said has been heard. */
static inline void rig_settle(void)
{
	fiber_sleep_until(deadline_in(50));
}

static inline size_t rig_count(struct browser *b)
{
	struct target *t;
	size_t n = 0;

	TAILQ_FOREACH (t, browser_targets(b), link)
		n++;
	return n;
}

static inline struct target_ref rig_page(struct browser *b)
{
	return target_ref_of(browser_page(b));
}
