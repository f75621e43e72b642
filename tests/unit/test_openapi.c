/* The description of the HTTP API says what the tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "authd/openapi.h"
#include "proto/route.h"
#include "proto/error.h"

static json_t *document;

static int set_up(void **state)
{
	(void)state;
	document = openapi_document("https://stead.example.org");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(document);
	return 0;
}

static json_t *at(json_t *from, const char *const *path)
{
	for (; *path; path++)
		from = json_is_array(from) ? json_array_get(from, 0) : json_object_get(from, *path);
	return from;
}

#define AT(from_, ...) at(from_, (const char *const[]){ __VA_ARGS__, NULL })

/* Every reference leads somewhere. */
static void check_references(const json_t *node)
{
	const char *name;
	json_t *value;
	size_t i;

	json_array_foreach((json_t *)node, i, value)
		check_references(value);
	json_object_foreach((json_t *)node, name, value) {
		char kind[32], key[64];
		if (strcmp(name, "$ref") != 0) {
			check_references(value);
			continue;
		}
		assert_int_equal(sscanf(json_string_value(value), "#/components/%31[a-z]/%63s", kind, key), 2);
		assert_non_null(AT(document, "components", kind, key));
	}
}

static void check_route(const struct route *route, void *arg)
{
	size_t *count = arg;
	char path[128], verb[8] = "";
	const char *media;
	json_t *operation;

	snprintf(path, sizeof(path), "/api/v1%s", route->method->path);
	for (size_t i = 0; route->method->verb[i]; i++)
		verb[i] = (char)(route->method->verb[i] | 0x20);
	operation = AT(document, "paths", path, verb);
	assert_string_equal(json_string_value(AT(operation, "operationId")), route->method->name);
	assert_string_equal(json_string_value(AT(operation, "tags", "0")), route->daemon);
	media = route->method->streams ? "text/event-stream" : "application/json";
	if (route->method->media)
		assert_non_null(AT(operation, "responses", "200", "content", route->method->media));
	else
		assert_non_null(AT(operation, "responses", "200", "content", media, "schema", "properties"));
	assert_true((strcmp(verb, "get") == 0) == !AT(operation, "requestBody"));
	++*count;
}

static void test_whole(void **state)
{
	size_t count = 0;

	(void)state;
	routes_each(method_lists(), check_route, &count);
	assert_true(count >= 15);
	check_references(document);
	assert_string_equal(json_string_value(AT(document, "openapi")), "3.1.0");
	for (enum error_code code = 0; code < ERROR_COUNT; code++) {
		char status[8];
		snprintf(status, sizeof(status), "%d", error_row(code)->http);
		assert_non_null(strstr(json_string_value(AT(document, "components", "responses", status, "description")),
			error_row(code)->name));
	}
}

static void test_details(void **state)
{
	json_t *login = AT(document, "paths", "/api/v1/login", "post");
	json_t *body = AT(login, "requestBody", "content", "application/json", "schema");
	json_t *show = AT(document, "paths", "/api/v1/bookings/{id}", "get");
	json_t *cancel = AT(document, "paths", "/api/v1/bookings/{id}/cancel", "post");

	(void)state;
	assert_int_equal(json_array_size(AT(login, "security")), 0);
	assert_true(json_is_array(AT(login, "security")));
	assert_null(AT(show, "security")); /* the document's own, a login, holds */
	assert_string_equal(json_string_value(AT(body, "properties", "password", "format")), "password");
	assert_int_equal(json_integer_value(AT(body, "properties", "password", "maxLength")), 256);
	assert_int_equal(json_array_size(AT(body, "required")), 2);
	assert_true(json_is_false(AT(body, "additionalProperties")));
	assert_string_equal(json_string_value(AT(show, "parameters", "0", "in")), "path");
	assert_true(json_is_true(AT(show, "parameters", "0", "required")));
	assert_null(AT(cancel, "requestBody", "content", "application/json", "schema", "properties", "id"));
	assert_string_equal(json_string_value(AT(document, "components", "securitySchemes", "login", "name")),
		"__Host-stead");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_details, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
