/* Answers on their way: what has come whole although its page has not read it, and what has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cbor_out.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "streamd/browser/arrival.h"

static struct arrival arrival;

static void tell(const char *method, struct cbor_out *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *params;
	const uint8_t *p;
	size_t n;

	assert_int_equal(cbor_out_finish(out, &p, &n), 0);
	assert_int_equal(cbor_parse(arena, p, n, 100, &params), 0);
	arrival_event(&arrival, method, params);
	cbor_out_free(out);
}

/* Its head, with up to two headers; NULL: none. */
static void head(const char *length, const char *encoding)
{
	struct cbor_out *out = cbor_out_new();

	cbor_put_map(out, 1);
	cbor_put_text(out, "response");
	cbor_put_map(out, 1);
	cbor_put_text(out, "headers");
	cbor_put_map(out, !!length + !!encoding);
	if (length) {
		cbor_put_text(out, "Content-Length");
		cbor_put_text(out, length);
	}
	if (encoding) {
		cbor_put_text(out, "content-encoding");
		cbor_put_text(out, encoding);
	}
	arrival_begin(&arrival);
	tell("Network.responseReceived", out);
}

static void data(int64_t n)
{
	struct cbor_out *out = cbor_out_new();

	cbor_put_map(out, 1);
	cbor_put_text(out, "dataLength");
	cbor_put_int(out, n);
	tell("Network.dataReceived", out);
}

static bool is_whole(void)
{
	return arrival_until(&arrival) <= loop_now();
}

/* More is to be expected of it, for a while. */
static bool rests(void)
{
	return !is_whole() && arrival_until(&arrival) < NEVER;
}

static void test_known_length(void **state)
{
	(void)state;
	arrival_begin(&arrival);
	assert_int_equal(arrival_until(&arrival), NEVER);
	head("10", NULL);
	assert_int_equal(arrival_until(&arrival), NEVER);
	data(4);
	assert_int_equal(arrival_until(&arrival), NEVER);
	data(6);
	assert_true(is_whole());
	head("0", NULL);
	assert_true(is_whole());
}

static void test_unknown_length(void **state)
{
	(void)state;
	head(NULL, NULL);
	assert_int_equal(arrival_until(&arrival), NEVER);
	data(4);
	assert_true(rests());
	head("10", "br"); /* ten bytes on the wire are any number of others */
	data(10);
	assert_true(rests());
}

/* What a renderer says may be anything. */
static void test_lies(void **state)
{
	(void)state;
	head("-1", NULL);
	data(1);
	assert_true(rests());
	head("99999999999999999999", NULL);
	data(1);
	assert_true(rests());
	head("10", NULL);
	data(-5);
	assert_int_equal(arrival_until(&arrival), NEVER);
	data(INT64_MAX);
	assert_true(is_whole());
}

static int set_up(void **state)
{
	(void)state;
	return loop_init();
}

static int tear_down(void **state)
{
	(void)state;
	loop_deinit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_length),
		cmocka_unit_test(test_unknown_length),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
