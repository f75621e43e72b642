/* Settings: defaults, files, overrides, and that each complaint names its place and its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/settings.h"

struct sample {
	char *name, *must;
	int64_t port;
	struct words hosts;
};

static const struct setting rows[] = {
	{ .name = "name", .kind = SETTING_TEXT, .offset = offsetof(struct sample, name), .text = "nobody", .sentence = "A name." },
	{ .name = "must", .kind = SETTING_TEXT, .offset = offsetof(struct sample, must), .sentence = "Has to be there." },
	{ .name = "port", .kind = SETTING_NUMBER, .offset = offsetof(struct sample, port), .number = 80, .least = 1, .most = 65535, .sentence = "A port." },
	{ .name = "hosts", .kind = SETTING_WORDS, .offset = offsetof(struct sample, hosts), .sentence = "Hosts." },
	{ 0 },
};

static char path[] = "/tmp/stead-settings-XXXXXX";
static struct sample s;
static char why[512];

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static int load_bytes(const char *text, size_t n, const char *override)
{
	FILE *f = fopen(path, "w");

	fwrite(text, 1, n, f);
	fclose(f);
	memset(why, 0, sizeof(why));
	return settings_load(rows, &s, path, &override, override ? 1 : 0, why, sizeof(why));
}

static int load(const char *text, const char *override)
{
	return load_bytes(text, strlen(text), override);
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(load("# a comment\n\n must=yes \nport = 8080\r\nhosts = a.test\nhosts=b.test = x\nname =\n", "port=9"), 0);
	assert_string_equal(s.must, "yes");
	assert_string_equal(s.name, "");
	assert_int_equal(s.port, 9);
	assert_int_equal(s.hosts.count, 2);
	assert_string_equal(s.hosts.items[1], "b.test = x");
	settings_free(rows, &s);
	assert_null(s.must);
	settings_free(rows, &s);
}

static void test_defaults(void **state)
{
	const char *must = "must=x";

	(void)state;
	assert_int_equal(settings_load(rows, &s, NULL, &must, 1, why, sizeof(why)), 0);
	assert_string_equal(s.name, "nobody");
	assert_int_equal(s.port, 80);
	assert_int_equal(s.hosts.count, 0);
	settings_free(rows, &s);
}

static void refuse(const char *text, const char *override, const char *place, const char *key, const char *what)
{
	assert_int_equal(load(text, override), -EINVAL);
	if (strncmp(why, place, strlen(place)) != 0 || !strstr(why, key) || !strstr(why, what))
		fail_msg("%s: \"%s\"", text, why);
	assert_null(s.name); /* nothing is left to free */
}

static void test_complaints(void **state)
{
	char second[64], third[64];

	(void)state;
	snprintf(second, sizeof(second), "%s:2: ", path);
	snprintf(third, sizeof(third), "%s:3: ", path);
	refuse("must=x\nprot = 5\n", NULL, second, "\"prot\"", "there is no setting");
	refuse("must=x\nport = five\n", NULL, second, "port", "whole number, not \"five\"");
	refuse("must=x\nport = 5x\n", NULL, second, "port", "whole number");
	refuse("must=x\nport =\n", NULL, second, "port", "whole number");
	refuse("must=x\nport = 0\n", NULL, second, "port", "between 1 and 65535, not 0");
	refuse("must=x\nport = 99999999999999999999\n", NULL, second, "port", "whole number");
	refuse("must=x\nport\n", NULL, second, "port", "expected \"name = value\"");
	refuse("must=x\n\nmust=y\n", NULL, third, "must", "a second time");
	refuse("must=x\n= 5\n", NULL, second, "\"\"", "there is no setting");
	refuse("must=x", "port=-1", "--set: ", "port", "between");
	refuse("must=x", "port", "--set: ", "port", "expected");
	refuse("must=x", "prot=1", "--set: ", "prot", "there is no setting");
	refuse("port=5\n", NULL, path, "\"must\"", "is missing: Has to be there.");
	assert_int_equal(load_bytes("must=x\0y\n", 9, NULL), -EINVAL); /* not cut where nobody sees it */
	assert_non_null(strstr(why, ":1: "));
}

static void test_unreadable(void **state)
{
	(void)state;
	assert_int_equal(settings_load(rows, &s, "/nonexistent/file", NULL, 0, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent/file"));
	assert_int_equal(settings_load(rows, &s, "/tmp", NULL, 0, why, sizeof(why)), -EISDIR);
	assert_non_null(strstr(why, "/tmp"));
}

/* The sample file is a file of settings; with what must be set it loads and is all defaults. */
static void test_sample(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	settings_print_sample(rows, f);
	fclose(f);
	assert_non_null(strstr(text, "# A port.\n# From 1 to 65535.\n#port = 80\n"));
	assert_non_null(strstr(text, "\nmust = \n"));
	assert_int_equal(load(text, NULL), 0);
	assert_int_equal(s.port, 80);
	settings_free(rows, &s);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
