/* What Chromium says it is, until it is another Chromium. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "streamd/browser/user_agent.h"

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void kept_until_the_file_changes(void **state)
{
	char path[] = "/tmp/stead-agent-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_null(user_agent_known(path));
	user_agent_keep(path, "Chrome/156");
	assert_string_equal(user_agent_known(path), "Chrome/156");
	assert_null(user_agent_known("/bin/sh"));
	write_file(path, "upgraded");
	assert_null(user_agent_known(path));
	user_agent_keep(path, "Chrome/157");
	assert_string_equal(user_agent_known(path), "Chrome/157");
	unlink(path);
	assert_null(user_agent_known(path));
	user_agent_keep(path, "Chrome/158");
	assert_null(user_agent_known(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kept_until_the_file_changes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
