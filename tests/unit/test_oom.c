/* Reading memory.events of one's own control group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/oom.h"

static char root[] = "/tmp/stead-oom-XXXXXX";
static char groups[64], group[64], events[96];

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_counts(void **state)
{
	(void)state;
	put(groups, "12:memory:/old/one\n0::/a.slice\n");
	assert_int_equal(oom_kills_in(groups, root), 0); /* no such controller */
	put(events, "low 0\nhigh 4\nmax 17\noom 3\noom_kill 2\noom_group_kill 1\n");
	assert_int_equal(oom_kills_in(groups, root), 2);
	put(groups, "12:memory:/a.slice\n");
	assert_int_equal(oom_kills_in(groups, root), 0); /* version 1 alone has no such file */
	assert_int_equal(oom_kills_in("/no/such/file", root), 0);
	assert_true(oom_kills() >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
	};

	if (!mkdtemp(root))
		return EXIT_FAILURE;
	snprintf(groups, sizeof(groups), "%s/cgroup", root);
	snprintf(group, sizeof(group), "%s/a.slice", root);
	snprintf(events, sizeof(events), "%s/memory.events", group);
	mkdir(group, 0700);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(events);
	unlink(groups);
	rmdir(group);
	rmdir(root);
	return r;
}
