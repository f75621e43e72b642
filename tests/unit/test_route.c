/* Verbs and paths to methods, texts in addresses to typed parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/query.h"
#include "proto/route.h"
#include "proto/method.h"

static json_t *params;
static struct refusal why;
static struct route found;
static char allow[64];

static int set_up(void **state)
{
	(void)state;
	params = json_object();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(params);
	return 0;
}

static int find(const char *verb, const char *path)
{
	json_object_clear(params);
	return route_find(method_lists(), verb, path, params, &found, allow, sizeof(allow), &why);
}

static void expect_text(const char *name, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(params, name)), text);
}

static void test_find(void **state)
{
	(void)state;
	assert_int_equal(find("POST", "/login"), 0);
	assert_string_equal(found.method->name, "login");
	assert_string_equal(found.daemon, "authd");
	assert_int_equal(find("GET", "/bookings/12"), 0);
	assert_string_equal(found.method->name, "booking_show");
	assert_string_equal(found.daemon, "botd");
	assert_int_equal(json_integer_value(json_object_get(params, "id")), 12);
	assert_int_equal(find("HEAD", "/bookings/12/log"), 0);
	assert_string_equal(found.method->name, "booking_log");
	assert_int_equal(find("POST", "/streams/a%20b/close"), 0);
	assert_string_equal(found.method->name, "stream_close");
	expect_text("id", "a b");
}

static void test_not_found(void **state)
{
	static const char *const paths[] = { "", "/", "/api/v1", "/", "/nothing", "/api/v2/login",
		"/login/", "/bookings//log", "/bookings/1/log/x", "/bookings/", NULL };

	(void)state;
	for (const char *const *path = paths; *path; path++)
		assert_int_equal(find("GET", *path), -ENOENT);
}

static void test_verbs(void **state)
{
	(void)state;
	assert_int_equal(find("PUT", "/login"), -EPERM);
	assert_string_equal(allow, "POST");
	assert_int_equal(find("DELETE", "/bookings"), -EPERM);
	assert_non_null(strstr(allow, "POST"));
	assert_non_null(strstr(allow, "GET, HEAD"));
}

static void test_bad_path_parameter(void **state)
{
	static const char *const ids[] = { "x", "1x", "-", "99999999999999999999", "%31%", "1%00", "%zz", "+1", NULL };
	char path[64];

	(void)state;
	for (const char *const *id = ids; *id; id++) {
		snprintf(path, sizeof(path), "/bookings/%s", *id);
		assert_int_equal(find("GET", path), -EINVAL);
		assert_string_equal(why.field, "id");
		assert_int_equal(why.code, ERR_invalid);
	}
}


static const struct field rows[] = {
	{ .name = "text", .kind = FIELD_STR, .most = 64 },
	{ .kind = FIELD_OPTIONAL },
	{ .name = "number", .kind = FIELD_INT, .least = INT64_MIN, .most = INT64_MAX },
	{ .name = "flag", .kind = FIELD_BOOL },
	{ .name = "ratio", .kind = FIELD_REAL },
	{ .name = "tags", .kind = FIELD_STRS, .most = 4, .each = 16 },
	{ .name = "secret", .kind = FIELD_SECRET, .most = 64 },
	{ .kind = FIELD_END },
};

static int query(const char *text)
{
	json_object_clear(params);
	return query_read(rows, params, text, &why);
}

static void test_query(void **state)
{
	(void)state;
	assert_int_equal(query(NULL), 0);
	assert_int_equal(query(""), 0);
	assert_int_equal(query("text=a+b%2Bc&number=-12&flag=true&ratio=0.5&tags=x&tags=y&"), 0);
	expect_text("text", "a b+c");
	assert_int_equal(json_integer_value(json_object_get(params, "number")), -12);
	assert_true(json_is_true(json_object_get(params, "flag")));
	assert_true(json_real_value(json_object_get(params, "ratio")) == 0.5);
	assert_int_equal(json_array_size(json_object_get(params, "tags")), 2);
	assert_int_equal(query("text=%F0%9F%90%84"), 0);
	expect_text("text", "\xF0\x9F\x90\x84");
	assert_int_equal(query("te%78t=x"), 0);
	expect_text("text", "x");
	assert_int_equal(query("text"), 0); /* empty: the rows refuse that later */
	expect_text("text", "");
}

static void test_bad_query(void **state)
{
	static const struct {
		const char *text, *field;
	} cases[] = {
		{ "unknown=1", "unknown" },
		{ "text=a&text=b", "text" },
		{ "number=1.5", "number" },
		{ "number=", "number" },
		{ "number=0x10", "number" },
		{ "number=%201", "number" },
		{ "flag=1", "flag" },
		{ "flag=TRUE", "flag" },
		{ "ratio=nan", "ratio" },
		{ "ratio=inf", "ratio" },
		{ "text=%C3%28", "text" },
		{ "text=%", "text" },
		{ "text=%4", "text" },
		{ "text=%00", "text" },
		{ "secret=x", "secret" },
		{ "%=x", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(query(cases[i].text), -EINVAL);
		assert_string_equal(why.field, cases[i].field);
		assert_true(strlen(why.message) > 10);
	}
}

static void test_too_many(void **state)
{
	char text[65 * 7 + 1] = "";

	(void)state;
	for (int i = 0; i < 65; i++)
		strcat(text, "tags=a&");
	assert_int_equal(query(text), -EINVAL);
}

static void test_merge(void **state)
{
	json_t *body = json_pack("{ss si}", "text", "b", "number", 2);

	(void)state;
	assert_int_equal(query("flag=true"), 0);
	assert_int_equal(query_merge(params, body, &why), 0);
	expect_text("text", "b");
	assert_int_equal(query("text=a"), 0);
	assert_int_equal(query_merge(params, body, &why), -EINVAL);
	assert_string_equal(why.field, "text");
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_verbs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_path_parameter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_query, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_query, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_merge, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
