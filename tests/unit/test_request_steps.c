/* Request steps: what a recipe may say of them, what is sent, and what an answer says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "recipe/answer.h"
#include "recipe/step.h"
#include "recipe/template.h"

#define HEAD                                                                                       \
	"{ \"title\": \"Gym\", \"home\": \"https://gym.test/\", \"sign_in\": { \"url\": \"https://gym.test/in\" }, \"hosts\": [\"gym.test\"], " \
	"\"signed_in\": { \"url\": [\"https://gym.test/home\"] }, \"probe\": { \"url\": \"https://gym.test/who\", \"in\": { \"at\": { \"css\": \"#who\" } }, " \
	"\"out\": { \"url\": [\"https://gym.test/in\"] }%s }, \"actions\": { \"book\": { \"title\": \"Book\", \"describe\": \"{class}\", " \
	"\"inputs\": [{ \"name\": \"class\", \"type\": \"text\", \"label\": \"Class\" }], \"list\": { \"steps\": [%s], " \
	"\"match\": [{ \"cell\": \"class\", \"is\": \"{class}\" }] }, \"steps\": [%s] } } }"

#define PROBE ", \"request\": { \"url\": \"https://gym.test/api/me\", \"account\": \"/name\", \"out\": [{ \"status\": 403 }] }"
#define LIST                                                                                       \
	"{ \"step\": \"request\", \"method\": \"GET\", \"url\": \"https://gym.test/api/mine\", \"rows\": \"\", " \
	"\"cells\": [{ \"name\": \"class\", \"pointer\": \"/name\" }] }"
#define ACT "{ \"step\": \"request\", \"method\": \"POST\", \"url\": \"https://gym.test/api/book\", \"act\": true%s }"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static const struct recipe *parse(const char *probe, const char *list, const char *act, char *why, size_t size)
{
	const struct recipe *r = NULL;
	char text[4096];

	snprintf(text, sizeof(text), HEAD, probe, list, act);
	return recipe_parse("gym.json", text, strlen(text), &r, why, size) < 0 ? NULL : r;
}

static void test_pageless(void **state)
{
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL, *paged = NULL;
	char why[1024] = "", act[256];

	(void)state;
	snprintf(act, sizeof(act), ACT, ", \"form\": [{ \"name\": \"c\", \"value\": \"{class}\" }]");
	r = parse(PROBE, LIST, act, why, sizeof(why));
	if (!r)
		fail_msg("%s", why);
	assert_true(recipe_action_pageless(r, r->actions));
	assert_null(r->actions->off); /* its list needs no mark for "none" */
	paged = parse("", LIST, act, why, sizeof(why));
	assert_non_null(paged);
	assert_false(recipe_action_pageless(paged, paged->actions)); /* nothing proves the session over HTTP */
}

static void test_refused(void **state)
{
	static const struct {
		const char *more, *words;
	} rows[] = {
		{ ", \"form\": [{ \"name\": \"c\", \"value\": \"x\" }], \"json\": {}", "json: goes without form" },
		{ ", \"json\": 5", "json: takes an object or a list" },
		{ ", \"json\": { \"c\": [\"{clas}\"] }", "did you mean {class}?" },
		{ ", \"rows\": \"/list\"", "rows: goes with cells" },
		{ ", \"pick\": [{ \"cell\": \"a\", \"is\": \"b\" }]", "pick: goes with rows" },
		{ ", \"rows\": \"/l\", \"cells\": [{ \"name\": \"a\", \"css\": \"td\" }]", "a cell has a pointer" },
		{ ", \"rows\": \"/l\", \"cells\": [{ \"name\": \"a\", \"pointer\": \"/a\" }], \"pick\": [{ \"cell\": \"b\", \"is\": \"b\" }]", "\"b\" is none of the cells" },
		{ ", \"must\": [{}]", "fits every answer" },
		{ ", \"must\": [{ \"status\": 200, \"is\": \"x\" }]", "is: goes with pointer" },
		{ ", \"must\": [{ \"pointer\": \"/a\", \"is\": \"x\", \"missing\": true }]", "missing: goes without is" },
		{ ", \"must\": [{ \"pointer\": \"a\" }]", "pointer:" },
		{ ", \"headers\": [{ \"name\": \"Cookie\", \"value\": \"a=b\" }]", "that Stead writes itself" },
		{ ", \"headers\": [{ \"name\": \"X:Y\", \"value\": \"a=b\" }]", "is not the name of a header field" },
		{ ", \"headers\": [{ \"name\": \"X\", \"value\": \"a\\r\\nCookie: b\" }]", "control character" },
		{ ", \"keep\": [{ \"name\": \"a-b\", \"pointer\": \"/a\" }]", "is no name of a variable" },
		{ ", \"at\": { \"css\": \"p\" }", "has no meaning for request" },
		{ ", \"means\": [{ \"answer\": { \"status\": 200 }, \"outcome\": \"fine\" }]", "\"fine\" is not one of" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char act[512], why[1024] = "";

		snprintf(act, sizeof(act), ACT, rows[i].more);
		if (parse(PROBE, LIST, act, why, sizeof(why)))
			fail_msg("taken: %s", rows[i].more);
		if (!strstr(why, rows[i].words) || strstr(why, "more mistake"))
			fail_msg("of %s it is said: %s", rows[i].more, why);
	}
}

static void test_probe_asks(void **state)
{
#define GRAPHQL ", \"request\": { \"url\": \"https://gym.test/q\", \"account\": \"/data/me\", \"out\": [{ \"pointer\": \"/errors\" }]%s }"
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
	char probe[512], act[256], why[1024] = "";

	(void)state;
	snprintf(act, sizeof(act), ACT, "");
	snprintf(probe, sizeof(probe), GRAPHQL, ", \"method\": \"POST\", \"json\": { \"query\": \"me\" }");
	r = parse(probe, LIST, act, why, sizeof(why));
	if (!r)
		fail_msg("%s", why);
	assert_string_equal("{\"query\":\"me\"}", r->probe.request->json);
	snprintf(probe, sizeof(probe), GRAPHQL, ", \"json\": {}");
	assert_null(parse(probe, LIST, act, why, sizeof(why)));
	assert_non_null(strstr(why, "json: goes with the method POST"));
	snprintf(probe, sizeof(probe), GRAPHQL, ", \"method\": \"POST\", \"json\": { \"query\": \"{class}\" }");
	assert_null(parse(probe, LIST, act, why, sizeof(why)));
	assert_non_null(strstr(why, "variables are known in actions only"));
}

static void test_bodies_go_with_methods(void **state)
{
	const char *get = "{ \"step\": \"request\", \"method\": \"GET\", \"url\": \"https://gym.test/a\", \"act\": true, \"json\": {} }";
	const char *page = "{ \"step\": \"click\", \"at\": { \"css\": \"p\" }, \"method\": \"GET\", \"act\": true }";
	char why[1024] = "";

	(void)state;
	assert_null(parse(PROBE, LIST, get, why, sizeof(why)));
	assert_non_null(strstr(why, "json: goes with POST, PUT, PATCH or DELETE, and not with GET"));
	assert_null(parse(PROBE, LIST, page, why, sizeof(why)));
	assert_non_null(strstr(why, "method: has no meaning for click"));
}

/* Filled in, and read again as botd does. */
static int fill(const char *more, struct step *ret, char *why, size_t size)
{
	static const struct variable items[] = { { .name = "class", .value = "a\"&b={1}" }, { .name = "n", .value = "12" } };
	const struct variables v = { items, 2 };
	json_auto_t *given = NULL, *filled = NULL;
	struct step step;
	char text[512];

	snprintf(text, sizeof(text), ACT, more);
	given = json_loads(text, 0, NULL);
	assert_non_null(given);
	assert_int_equal(0, step_parse(arena, given, &step, why, size));
	if (step_fill(&step, &v, &filled, why, size) < 0)
		return -EINVAL;
	return step_parse(arena, filled, ret, why, size);
}

static void test_values_stay_values(void **state)
{
	struct step s;
	char why[512] = "";

	(void)state;
	assert_int_equal(0, fill(", \"json\": { \"c\": \"{class}\", \"l\": [\"{n}\", true, null, 1.5], \"n\": { \"$number\": \"{n}\" } }", &s, why, sizeof(why)));
	assert_string_equal("{\"c\":\"a\\\"&b={1}\",\"l\":[\"12\",true,null,1.5],\"n\":12}", s.json);
	assert_int_equal(0, fill(", \"form\": [{ \"name\": \"c\", \"value\": \"{class}\" }]", &s, why, sizeof(why)));
	assert_string_equal("a\"&b={1}", s.form->value);
	assert_int_equal(-EINVAL, fill(", \"json\": { \"n\": { \"$number\": \"{class}\" } }", &s, why, sizeof(why)));
	assert_non_null(strstr(why, "is no number"));
}

/* Answers */

static bool fits(const struct answer_fits f, int status, const char *body)
{
	json_auto_t *json = json_loads(body, JSON_DECODE_ANY, NULL);

	return answer_fits(&f, &(struct answer_said){ status, json, body });
}

static void test_fits(void **state)
{
	const char *body = "{\"n\": -12, \"t\": \" a  b \", \"yes\": true, \"none\": null, \"l\": [], \"o\": {\"x\": [1]}}";

	(void)state;
	assert_true(fits((struct answer_fits){ .status = 403 }, 403, "no"));
	assert_false(fits((struct answer_fits){ .status = 403 }, 200, "no"));
	assert_true(fits((struct answer_fits){ .pointer = "/n", .is = "-12" }, 200, body));
	assert_false(fits((struct answer_fits){ .pointer = "/n", .is = "-12" }, 500, body)); /* any from 200 to 299 */
	assert_true(fits((struct answer_fits){ .pointer = "/t", .is = "a b" }, 200, body));
	assert_true(fits((struct answer_fits){ .pointer = "/yes", .is = "true" }, 200, body));
	assert_true(fits((struct answer_fits){ .pointer = "/none", .is = "null" }, 200, body));
	assert_true(fits((struct answer_fits){ .pointer = "/o/x/0", .is = "1" }, 200, body));
	assert_true(fits((struct answer_fits){ .pointer = "/n" }, 200, body));
	assert_false(fits((struct answer_fits){ .pointer = "/l" }, 200, body));
	assert_true(fits((struct answer_fits){ .pointer = "/l", .missing = true }, 200, body));
	assert_true(fits((struct answer_fits){ .pointer = "/nowhere/at/all", .missing = true }, 200, body));
	assert_false(fits((struct answer_fits){ .pointer = "/n", .missing = true }, 200, body));
	assert_false(fits((struct answer_fits){ .pointer = "/n", .missing = true }, 200, "<html>")); /* nothing is known of it */
	assert_true(fits((struct answer_fits){ .text = "n*error" }, 200, "No such ERROR"));
	assert_false(fits((struct answer_fits){ .pointer = "/n", .is = "-12", .text = "other" }, 200, body));
}

static void assert_lacks(const char *words, const struct answer_fits *must, size_t n, int status, const char *body)
{
	json_auto_t *json = json_loads(body, JSON_DECODE_ANY, NULL);
	const char *said = answer_lacks(arena, must, n, &(struct answer_said){ status, json, body });

	if (!words)
		assert_null(said);
	else
		assert_string_equal(words, said);
}

static void test_lacks(void **state)
{
	const struct answer_fits must[] = { { .pointer = "/ok" }, { .pointer = "/state", .is = "1" }, { .text = "yes" } };

	(void)state;
	assert_lacks(NULL, NULL, 0, 204, "");
	assert_lacks("It answered with status 302.", NULL, 0, 302, "");
	assert_lacks(NULL, must, 3, 200, "{\"ok\": 1, \"state\": 1, \"said\": \"yes\"}");
	assert_lacks("It answered with status 200, and that is no JSON.", must, 3, 200, "<html>");
	assert_lacks("It answered with status 200, and there is nothing at /ok.", must, 3, 200, "{}");
	assert_lacks("It answered with status 200, and \"-3\" stands at /state.", must, 3, 200, "{\"ok\": 1, \"state\": -3}");
	assert_lacks("It answered with status 200, without \"yes\".", must, 3, 200, "{\"ok\": 1, \"state\": 1}");
	assert_lacks("It answered with status 500.", must, 3, 500, "{\"ok\": 1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pageless, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_probe_asks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bodies_go_with_methods, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_values_stay_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lacks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
