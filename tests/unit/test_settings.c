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

#include "authd/settings.h"
#include "botd/settings.h"
#include "common/nearest.h"
#include "common/setting_forms.h"
#include "common/settings.h"
#include "sessiond/settings.h"
#include "streamd/settings.h"

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

/* Every daemon holds every value that it is given to what it should look like, when it starts; defaults have that form. */
static void test_forms(void **state)
{
	static const struct { const char *line, *key, *what; } wrong[] = {
		{ "pin = ux.test", "pin", "IP address must follow" },
		{ "pin = ux.test=localhost", "\"ux.test=localhost\"", "IP address" },
		{ "pin = 10.0.0.1=10.0.0.2", "pin", "host name must stand" },
		{ "trusted_key = abc", "trusted_key", "44 characters" },
		{ "origin = https://stead.example.org/", "origin", "without a slash at the end" },
		{ "recipes = sites", "recipes", "begins with a slash" },
		{ "recipes = /a::/b", "recipes", "one colon" },
		{ "chromium = chromium", "chromium", "begins with a slash" },
		{ "launcher =", "launcher", "begins with a slash" },
		{ "front_user = no-such-user-here", "front_user", "no such user" },
		{ "bot_user = 4294967295", "bot_user", "no such uid" },
		{ "control_user =", "control_user", "must name a user" },
	};
	char text[128], place[64];

	(void)state;
	snprintf(place, sizeof(place), "%s:2: ", path);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct streamd_settings streamd;
		FILE *f = fopen(path, "w");
		snprintf(text, sizeof(text), "# a comment\n%s\n", wrong[i].line);
		fputs(text, f);
		fclose(f);
		assert_int_equal(settings_load(streamd_setting_rows(), &streamd, path, NULL, 0, why, sizeof(why)), -EINVAL);
		if (strncmp(why, place, strlen(place)) != 0 || !strstr(why, wrong[i].key) || !strstr(why, wrong[i].what) ||
			!strstr(why, "for example: "))
			fail_msg("%s: \"%s\"", wrong[i].line, why);
	}
}

/* What has no form of its own would be found wrong by whoever is first served by it. */
static void test_every_text_has_a_form(void **state)
{
	const struct setting *const all[] = { authd_settings_rows(), streamd_setting_rows(), botd_settings_rows(),
		sessiond_settings_rows() };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (const struct setting *row = all[i]; row->name; row++) {
			if (row->kind == SETTING_NUMBER)
				continue;
			assert_non_null(row->form);
			assert_null(row->form->wrong == NULL ? "no check" : NULL);
			if (row->text && row->form != &form_user) /* whose users need not be on the machine that runs tests */
				assert_null(row->form->wrong(row->text));
			if (row->form != &form_user)
				assert_null(row->form->wrong(row->form->example));
		}
}

/* A connection string may hold a password, so a complaint does not repeat it. */
static void test_secret(void **state)
{
	struct botd_settings botd;
	const char *bad = "database=host=db password=two words";

	(void)state;
	assert_int_equal(settings_load(botd_settings_rows(), &botd, NULL, &bad, 1, why, sizeof(why)), -EINVAL);
	if (!strstr(why, "--set: database") || !strstr(why, "libpq") || strstr(why, "two words\"") || strstr(why, "=two"))
		fail_msg("%s", why);
}

static void test_did_you_mean(void **state)
{
	(void)state;
	refuse("must=x\nprot = 5\n", NULL, path, "\"prot\"", "did you mean port?");
	refuse("must=x\nhost = 5\n", NULL, path, "\"host\"", "did you mean hosts?");
	assert_int_equal(load("must=x\ncolour = 5\n", NULL), -EINVAL);
	assert_null(strstr(why, "did you mean"));
	assert_int_equal(nearest_distance("", "ab"), 2);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("prot", "port"), 1);
	assert_int_equal(nearest_distance("same", "same"), 0);
}

struct shared_sample {
	char *recipes;
	struct words origin;
	int64_t port;
};

static const struct setting shared_rows[] = {
	{ .name = "recipes", .kind = SETTING_TEXT, .offset = offsetof(struct shared_sample, recipes), .text = "/r", .shared = true,
		.sentence = "Recipes." },
	{ .name = "origin", .kind = SETTING_WORDS, .offset = offsetof(struct shared_sample, origin), .shared = true, .sentence = "Origins." },
	{ .name = "port", .kind = SETTING_NUMBER, .offset = offsetof(struct shared_sample, port), .number = 80, .least = 1, .most = 9,
		.sentence = "A port." },
	{ 0 },
};

static char directory[] = "/tmp/stead-shared-XXXXXX", own_file[64], shared_file[64];
static struct shared_sample sh;

static void put(const char *file, const char *text)
{
	FILE *f;

	unlink(file);
	if (!text)
		return;
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What the daemon's own file says, and what the shared one says (NULL: there is none). */
static int load_both(const char *own, const char *shared)
{
	put(own_file, own);
	put(shared_file, shared);
	strcpy(why, "left over");
	return settings_load(shared_rows, &sh, own_file, NULL, 0, why, sizeof(why));
}

static void expect_shared(const char *own, const char *shared, const char *origin, const char *recipes, bool said)
{
	assert_int_equal(load_both(own, shared), 0);
	assert_int_equal(sh.origin.count, *origin ? 1 : 0);
	if (*origin)
		assert_string_equal(sh.origin.items[0], origin);
	assert_string_equal(sh.recipes, recipes);
	assert_int_equal(said, *why != '\0');
	if (said && (!strstr(why, own_file) || !strstr(why, shared_file)))
		fail_msg("%s", why);
	settings_free(shared_rows, &sh);
}

static void refuse_shared(const char *own, const char *shared, const char *key, const char *file)
{
	assert_int_equal(load_both(own, shared), -EINVAL);
	if (!strstr(why, key) || !strstr(why, file))
		fail_msg("%s", why);
	assert_null(sh.recipes);
}

/* What daemons must agree on stands in one place; where it still stands in two that differ, nothing starts. */
static void test_shared(void **state)
{
	char line[80];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(own_file, sizeof(own_file), "%s/authd.conf", directory);
	snprintf(shared_file, sizeof(shared_file), "%s/stead.conf", directory);
	snprintf(line, sizeof(line), "%s:2: ", shared_file);
	expect_shared("port = 5\n", NULL, "", "/r", false);
	expect_shared("port = 5\n", "origin = https://a\nrecipes = /x\n", "https://a", "/x", false);
	expect_shared("origin = https://a\n", NULL, "https://a", "/r", true); /* as it was before there was the one place */
	expect_shared("origin = https://a\n", "recipes = /x\n", "https://a", "/x", true);
	expect_shared("origin = https://a\n", "origin = https://a\n", "https://a", "/r", false);
	refuse_shared("origin = https://a\n", "origin = https://b\n", "\"origin\"", own_file);
	refuse_shared("origin = https://a\n", "origin = https://a\norigin = https://b\n", "\"origin\"", shared_file);
	refuse_shared("recipes = /x\n", "recipes = /y\n", "\"recipes\"", own_file);
	refuse_shared("port = 5\n", "\nport = 5\n", "\"port\"", line);
	refuse_shared("port = 5\n", "\nfrob = 5\n", "\"frob\"", line);
	refuse_shared("recipes = /x\nrecipes = /x\n", NULL, "recipes", "a second time");
	put(own_file, NULL);
	put(shared_file, NULL);
	rmdir(directory);
}

/* A daemon passes over what only others need. */
static void test_shared_with_others(void **state)
{
	const char *must = "must=x";
	char *shared;

	(void)state;
	shared = settings_shared_path(path);
	assert_string_equal(shared, "/tmp/stead.conf");
	free(shared);
	shared = settings_shared_path("here.conf");
	assert_string_equal(shared, "stead.conf");
	free(shared);
	strcpy(directory, "/tmp/stead-shared-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(own_file, sizeof(own_file), "%s/other.conf", directory);
	snprintf(shared_file, sizeof(shared_file), "%s/stead.conf", directory);
	put(own_file, "name = x\n");
	put(shared_file, "origin = https://a\n");
	assert_int_equal(settings_load(rows, &s, own_file, &must, 1, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	settings_free(rows, &s);
	put(own_file, NULL);
	put(shared_file, NULL);
	rmdir(directory);
}

/* Whatever a daemon says is shared may stand in the shared file. */
static void test_shared_names(void **state)
{
	const struct setting *const all[] = { authd_settings_rows(), streamd_setting_rows(), botd_settings_rows(),
		sessiond_settings_rows() };
	char text[64];
	int count = 0;

	(void)state;
	strcpy(directory, "/tmp/stead-shared-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(own_file, sizeof(own_file), "%s/a.conf", directory);
	snprintf(shared_file, sizeof(shared_file), "%s/stead.conf", directory);
	for (size_t i = 0; i < 4; i++)
		for (const struct setting *row = all[i]; row->name; row++) {
			if (!row->shared)
				continue;
			snprintf(text, sizeof(text), "%s = x\n", row->name);
			assert_int_equal(load_both("", text), 0);
			settings_free(shared_rows, &sh);
			count++;
		}
	assert_int_equal(count, 8); /* origin, recipes, pin, trusted_key: each of two daemons */
	put(own_file, NULL);
	put(shared_file, NULL);
	rmdir(directory);
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
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_every_text_has_a_form),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_did_you_mean),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_shared_with_others),
		cmocka_unit_test(test_shared_names),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
