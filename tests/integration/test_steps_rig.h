/*
 * What tests of page steps share: a browser of streamd's own through a real launcher, and a small site on several names
 * that runs in the test itself.
 *
 * Chromium's sandbox needs a user: started by root, the whole test goes on as "nobody", or as STEAD_TEST_USER names.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "streamd/run/run_step.h"
#include "streamd/streamd.h"

struct rig {
	char dir[64];      /* the test's own, as current user */
	char tools[PATH_MAX]; /* build/VARIANT */
	struct streamd_settings settings;
	struct evhttp *site;
	int port;
	struct browser *browser;
	json_t *steps; /* whose texts are still pointed to */
};

static struct rig rig;

static inline void rig_drop_user(void)
{
	const struct passwd *pw = getpwnam(getenv("STEAD_TEST_USER") ?: "nobody");

	if (geteuid() != 0)
		return;
	if (!pw || setgroups(0, NULL) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0) {
		perror("changing to the test's user");
		exit(EXIT_FAILURE);
	}
	prctl(PR_SET_DUMPABLE, 1);
}

/* build/VARIANT/tests/test_x is started, build/VARIANT/bin/stead-launcher is used. */
static inline void rig_paths(void)
{
	ssize_t n = readlink("/proc/self/exe", rig.tools, sizeof(rig.tools) - 1);

	assert_true(n > 0);
	rig.tools[n] = '\0';
	*strrchr(rig.tools, '/') = '\0';
	*strrchr(rig.tools, '/') = '\0';
	strcpy(rig.dir, "/tmp/stead-steps-XXXXXX");
	assert_non_null(mkdtemp(rig.dir));
	setenv("TMPDIR", rig.dir, 1);
	rig.steps = json_array();
}

/* more: NULL-ended "name=value". */
static inline void rig_settings(const char *const *more)
{
	char launcher[PATH_MAX + 64], why[256] = "";
	const char *all[16] = { launcher };
	size_t n = 1;

	snprintf(launcher, sizeof(launcher), "launcher=%s/bin/stead-launcher", rig.tools);
	while (*more)
		all[n++] = *more++;
	if (settings_load(streamd_setting_rows(), &rig.settings, NULL, all, n, why, sizeof(why)) < 0)
		fail_msg("%s", why);
}

static inline void rig_end(void)
{
	settings_free(streamd_setting_rows(), &rig.settings);
	json_decref(rig.steps);
	rmdir(rig.dir);
}

/*
 * Runs fn on a fiber. An assertion that fails leaves the fiber by a long jump, and nothing can run after that: the
 * program ends with what it has said.
 */
static inline void in_fiber(void (*fn)(void *), void *arg)
{
	static bool under_way;
	struct fiber *f = NULL;

	if (under_way)
		exit(EXIT_FAILURE);
	under_way = true;
	fiber_start("test", fn, arg, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	under_way = false;
}

/* The step that a JSON text says. */
static inline struct step step_of(struct arena *arena, const char *json)
{
	char why[256];
	struct step s;
	json_error_t e;
	json_t *j = json_loads(json, 0, &e);

	if (!j)
		fail_msg("%s: %s", json, e.text);
	json_array_append_new(rig.steps, j);
	if (step_parse(arena, j, &s, why, sizeof(why)) < 0)
		fail_msg("%s: %s", json, why);
	return s;
}

/* Carries out a step; its result must be this. */
static inline struct step_result take(struct browser *b, const struct recipe *recipe, struct arena *arena,
	enum step_end want, const char *json)
{
	struct step s = step_of(arena, json);
	struct step_result r;
	int64_t began = loop_now();

	assert_int_equal(run_step_carry_out(b, NULL, recipe, &s, arena, &r), 0);
	print_message("  %5lld ms  %-8s %.100s%s%.250s\n", (long long)(loop_now() - began), step_end_word(r.end), json,
		r.reason ? "\n           " : "", r.reason ? r.reason : "");
	if (r.end != want)
		fail_msg("%s: %s and not %s: %s", json, step_end_word(r.end), step_end_word(want),
			r.reason ? r.reason : "");
	assert_true((r.end == STEP_END_DONE) == (r.reason == NULL));
	if (r.end != STEP_END_DONE && !browser_ended(b) && !strstr(r.reason, "hangs"))
		assert_true(r.picture >= 0);
	closep(&r.picture);
	r.picture = -1;
	return r;
}
