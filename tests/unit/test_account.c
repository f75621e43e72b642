/* A name in what a site has stored or answered: JSON, and tokens as RFC 7519 has them, whoever made them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "streamd/session/account.h"

/* name: NULL, there is none, and the reason has these words. */
static void assert_decoded(const char *pointer, const char *claim, const char *text, const char *name, const char *words)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct recipe_account_source source = { .is = "x", .pointer = pointer, .claim = claim };
	char lack[ACCOUNT_LACK] = "";
	const char *found = account_decode(&source, text, arena, lack);

	if (!found != !name || (name && strcmp(found, name) != 0))
		fail_msg("%s: wanted %s, got %s (%s)", text, name ?: "nothing", found ?: "nothing", lack);
	if (!name && !strstr(lack, words))
		fail_msg("%s: it does not say \"%s\": %s", text, words, lack);
}

static void test_pointer(void **state)
{
	(void)state;
	assert_decoded(NULL, NULL, "as it is", "as it is", NULL);
	assert_decoded("/a/0", NULL, "{\"a\": [\"pat\"]}", "pat", NULL);
	assert_decoded("/1", NULL, "[7, -8]", "-8", NULL);
	assert_decoded("/a~1b/~0", NULL, "{\"a/b\": {\"~\": \"pat\"}}", "pat", NULL);
	assert_decoded("/a", NULL, "{\"a\": 1.5}", NULL, "no text at /a");
	assert_decoded("/a", NULL, "{\"a\": {\"b\": 1}}", NULL, "no text at /a");
	assert_decoded("/a", NULL, "{\"a\": null}", NULL, "no text at /a");
	assert_decoded("/a", NULL, "{\"b\": 1}", NULL, "no text at /a");
	assert_decoded("/a", NULL, "pat", NULL, "is no JSON");
	assert_decoded("/a", NULL, "", NULL, "is no JSON");
	assert_decoded("/a", NULL, "{\"a\": \"p\\u0000at\"}", NULL, "is no JSON");
	assert_decoded("/a", NULL, "{\"a\": \"one\", \"a\": \"two\"}", NULL, "is no JSON");
}

static void test_deep(void **state)
{
	CLEANUP(freep) char *text = calloc(1, 200001);

	(void)state;
	memset(text, '[', 200000);
	assert_decoded("/0", NULL, text, NULL, "is no JSON");
	memset(text, ' ', 200000);
	assert_decoded("/0", NULL, text, NULL, "is no JSON");
}

/* RFC 7519, section 3.1, and what is none. */
static void test_claim(void **state)
{
	static const char token[] =
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char *const none[] = { "", "pat", "a.b", "..", "a..b", "a.e30", "a.e.b", "a.e3!.b",
		"a.e30=.b", "a.W10.b", "a._w.b",
		"a.eyJpc3MiOiJqb2UifQ" };

	(void)state;
	assert_decoded(NULL, "iss", token, "joe", NULL);
	assert_decoded(NULL, "exp", token, "1300819380", NULL);
	assert_decoded(NULL, "http://example.com/is_root", token, NULL, "no text as its claim http://example.com/is_root");
	assert_decoded(NULL, "sub", token, NULL, "no text as its claim sub");
	assert_decoded("/t", "iss", "{\"t\": \"a.eyJpc3MiOiJqb2UifQ.\"}", "joe", NULL);
	assert_decoded(NULL, "n", "a.eyJuIjoiw6QifQ.b", "\u00e4", NULL);
	assert_decoded("/t", "iss", "{\"u\": \"x\"}", NULL, "no text at /t");
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_decoded(NULL, "iss", none[i], NULL, "is no JSON Web Token");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
