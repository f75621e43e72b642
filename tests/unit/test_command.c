/* Chromium's command line: what must stand in it, what must not, and what may never come near it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "launcher/child.h"
#include "launcher/command.h"
#include "proto/call.h"

#define KEY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static const char *keys[] = { KEY, KEY };

static struct browser_start_params usual(void)
{
	return (struct browser_start_params){ .chromium = "/usr/lib/chromium/chromium",
		.trusted_keys = keys,
		.trusted_keys_count = 2,
		.width = 1280,
		.height = 720,
		.languages = "de-DE,de,en",
		.time_zone = "Europe/Berlin"};
}

static bool has(char **words, const char *word)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

static bool has_start(char **words, const char *start)
{
	for (; *words; words++)
		if (strncmp(*words, start, strlen(start)) == 0)
			return true;
	return false;
}

static void test_browser(void **state)
{
	struct arena *arena = arena_new(0);
	struct browser_start_params p = usual();
	struct command c = command_for_browser(arena, &p, "/run/p", "Mozilla/5.0 (x y)", false);
	size_t n = 0;

	(void)state;
	snprintf(c.proxy, CHILD_PROXY, "--proxy-server=http://127.0.0.1:%u", 65535U);
	assert_string_equal(c.argv[0], "/usr/lib/chromium/chromium");
	assert_true(has(c.argv, "--headless=new"));
	assert_true(has(c.argv, "--remote-debugging-pipe=cbor"));
	assert_true(has(c.argv, "--proxy-server=http://127.0.0.1:65535"));
	assert_true(has(c.argv, "--proxy-bypass-list=<-loopback>"));
	assert_true(has(c.argv, "--user-data-dir=/run/p"));
	assert_true(has(c.argv, "--user-agent=Mozilla/5.0 (x y)"));
	assert_true(has(c.argv, "--window-size=1280,863"));
	assert_true(has(c.argv, "--accept-lang=de-DE,de,en"));
	assert_true(has(c.argv, "--lang=de-DE"));
	assert_true(has(c.argv, "--ignore-certificate-errors-spki-list=" KEY "," KEY));
	assert_false(has_start(c.argv, "--no-sandbox"));
	assert_false(has_start(c.argv, "--remote-debugging-port"));
	while (c.argv[n])
		n++;
	assert_string_equal(c.argv[n - 1], "about:blank");
	assert_true(has(c.envp, "HOME=/run/p"));
	assert_true(has(c.envp, "TZ=Europe/Berlin"));
	assert_false(has_start(c.envp, "LD_"));
	arena_free(arena);
}

/* Signing in at Google works where the site may reach it, and elsewhere is not tried by itself. */
static void test_google(void **state)
{
	struct arena *arena = arena_new(0);
	struct browser_start_params p = usual();

	(void)state;
	assert_true(has_start(
		command_for_browser(arena, &p, "/run/p", "x", false).argv, "--gaia-url="));
	assert_false(has_start(
		command_for_browser(arena, &p, "/run/p", "x", true).argv, "--gaia-url="));
	arena_free(arena);
	assert_true(command_is_chromiums_own("update.googleapis.com"));
	assert_true(command_is_chromiums_own("connectivitycheck.gstatic.com"));
	assert_false(command_is_chromiums_own("accounts.google.com"));
	assert_false(command_is_chromiums_own("www.google.com"));
	assert_false(command_is_chromiums_own("evil.update.googleapis.com"));
}

static void expect(const struct browser_start_params *p, const char *field)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, NEVER);
	int r = command_check(call, p);

	assert_int_equal(r, field ? REFUSED : 0);
	assert_string_equal(call->refusal.field, field ? field : "");
}

static void test_check(void **state)
{
	static const char *const zones[] = {"/etc/localtime", ":/etc/passwd", "../x", "A B", "a=b"};
	static const char *const languages[] = {"de;q=0.9", "de --no-sandbox", "d\xc3\xa9", "de\n"};
	static const char *bad[] = {"abc", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF,=",
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUU"};
	struct browser_start_params p = usual();

	(void)state;
	expect(&p, NULL);
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		p = usual();
		p.time_zone = zones[i];
		expect(&p, "time_zone");
	}
	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++) {
		p = usual();
		p.languages = languages[i];
		expect(&p, "languages");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		p = usual();
		p.trusted_keys = &bad[i];
		p.trusted_keys_count = 1;
		expect(&p, "trusted_keys");
	}
	p = usual();
	p.chromium = "chromium";
	expect(&p, "chromium");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_browser),
		cmocka_unit_test(test_google),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
