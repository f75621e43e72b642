/* What is JSON enough for a peer to send, and what is said about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"

static void accept_text(const char *text)
{
	json_t *document = NULL;
	const char *why = NULL;

	if (json_read(text, strlen(text), &document, &why) < 0)
		fail_msg("%s: %s", text, why);
	json_decref(document);
}

/* n bytes on the heap, without a NUL after them. */
static void refuse_bytes(const char *bytes, size_t n, const char *sentence)
{
	char *copy = malloc(n + 1);
	json_t *document = NULL;
	const char *why = NULL;

	memcpy(copy, bytes, n);
	copy = realloc(copy, n ? n : 1);
	assert_int_equal(json_read(copy, n, &document, &why), -EBADMSG);
	assert_null(document);
	assert_non_null(why);
	if (!strstr(why, sentence))
		fail_msg("%.*s: \"%s\", not \"%s\"", (int)n, bytes, why, sentence);
	assert_int_equal(json_read(copy, n, &document, NULL), -EBADMSG);
	free(copy);
}

static void refuse(const char *text, const char *sentence)
{
	refuse_bytes(text, strlen(text), sentence);
}

static char *nested(size_t depth, const char *open, const char *close)
{
	char *text = calloc(depth + 1, 16);

	for (size_t i = 0; i < depth; i++)
		strcat(text, open);
	strcat(text, "{}");
	for (size_t i = 0; i < depth; i++)
		strcat(text, close);
	return text;
}

static void test_depth(void **state)
{
	char *at_limit = nested(31, "{\"a\":", "}"), *beyond = nested(32, "{\"a\":", "}"), *far = nested(5000, "{\"a\":[", "]}");

	(void)state;
	accept_text(at_limit);
	refuse(beyond, "deeper than 32");
	refuse(far, "deeper than 32");
	refuse("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "deeper than 32");
	accept_text("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}");
	accept_text("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}");
	free(at_limit);
	free(beyond);
	free(far);
}

static void test_duplicate_names(void **state)
{
	(void)state;
	refuse("{\"a\":1,\"a\":2}", "twice");
	refuse("{\"x\":{\"a\":1,\"b\":2,\"a\":1}}", "twice");
	refuse("{\"x\":[0,{\"y\":[{\"a\":1,\"a\":1}]}]}", "twice");
	refuse("{\"a\":1,\"\\u0061\":2}", "twice"); /* the same name, spelled otherwise */
	accept_text("{\"a\":{\"a\":1},\"b\":{\"a\":1}}");
}

static void test_text(void **state)
{
	(void)state;
	refuse("{\"a\":\"\xff\"}", "UTF-8");
	refuse("{\"a\":\"\xc0\xaf\"}", "UTF-8");     /* not the shortest form */
	refuse("{\"a\":\"\xed\xa0\x80\"}", "UTF-8"); /* a surrogate */
	refuse("{\"a\":\"\xf4\x90\x80\x80\"}", "UTF-8");
	refuse("{\"\xff\":1}", "UTF-8");
	refuse("{\"a\":\"\\u0000\"}", "NUL");
	refuse("{\"\\u0000\":1}", "NUL");
	refuse("{\"a\":\"\\ud800\"}", "well-formed");
	refuse("{\"a\":\"\\udc00\"}", "well-formed");
	refuse("{\"a\":\"\\ud800\\u0041\"}", "well-formed");
	refuse("{\"a\":\"\n\"}", "well-formed");
	refuse("{\"a\":\"\\x41\"}", "well-formed");
	refuse_bytes("{\"a\":\"\0\"}", 9, "well-formed");
	accept_text("{\"a\":\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"}");
}

static void test_numbers(void **state)
{
	(void)state;
	refuse("{\"a\":1e999}", "too large");
	refuse("{\"a\":-1e999}", "too large");
	refuse("{\"a\":9223372036854775808}", "too large");
	refuse("{\"a\":-9223372036854775809}", "too large");
	refuse("{\"a\":01}", "well-formed");
	refuse("{\"a\":1.}", "well-formed");
	refuse("{\"a\":NaN}", "well-formed");
	refuse("{\"a\":+1}", "well-formed");
	accept_text("{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":1e-999,\"d\":-0.5E+3}");
}

static void test_one_object(void **state)
{
	(void)state;
	refuse("", "too early");
	refuse("{", "too early");
	refuse("{\"a\":\"", "too early");
	refuse("{} {}", "follows");
	refuse("{}x", "follows");
	refuse_bytes("{}\0", 3, "well-formed");
	refuse_bytes("{\"a\":1\0}", 8, "well-formed");
	refuse_bytes("{\0}", 3, "well-formed");
	refuse("[]", "not one JSON object");
	refuse("\"a\"", "");
	refuse("{\"a\":1,}", "well-formed");
	refuse("{a:1}", "well-formed");
	refuse("{'a':1}", "well-formed");
	refuse("\xef\xbb\xbf{}", "well-formed"); /* no byte order mark (RFC 8259, section 8.1) */
	accept_text(" \t\r\n{ \"a\" : [ true , false , null ] } ");
}

static void test_cut_at_each_byte(void **state)
{
	static const char text[] = "{\"a\":[1.5e3,\"\\u00e9\",{\"b\":null}],\"c\":true}";

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(text); n++)
		refuse_bytes(text, n, "");
	accept_text(text);
}

static void test_writing(void **state)
{
	json_auto_t *document = json_pack("{s:s, s:i}", "a", "x\"\n", "b", 5);
	size_t length;
	char *text = json_text(document, &length);

	(void)state;
	assert_string_equal(text, "{\"a\":\"x\\\"\\n\",\"b\":5}");
	assert_int_equal(length, strlen(text));
	json_text_free(text, length);
	json_text_free(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_duplicate_names),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_one_object),
		cmocka_unit_test(test_cut_at_each_byte),
		cmocka_unit_test(test_writing),
	};

	json_cleanse();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
