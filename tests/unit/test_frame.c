/* Frames at every length that matters, and cut off at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"

#define CAP 1000

static enum frame_state parse_length(uint32_t length, size_t cap)
{
	uint8_t header[FRAME_HEADER];
	struct frame f;
	enum frame_state state;

	frame_header(header, length);
	state = frame_parse(header, sizeof(header), cap, &f);
	assert_int_equal(f.length, state == FRAME_FATAL ? 0 : length);
	assert_null(f.body);
	return state;
}

static void test_lengths(void **state)
{
	(void)state;
	assert_int_equal(parse_length(0, CAP), FRAME_FATAL);
	assert_int_equal(parse_length(1, CAP), FRAME_INCOMPLETE);
	assert_int_equal(parse_length(CAP, CAP), FRAME_INCOMPLETE);
	assert_int_equal(parse_length(CAP + 1, CAP), FRAME_FATAL);
	assert_int_equal(parse_length(0x80000000, CAP), FRAME_FATAL);
	assert_int_equal(parse_length(UINT32_MAX, CAP), FRAME_FATAL); /* 4 GiB less one, the most a header can say */
	assert_int_equal(parse_length(UINT32_MAX, UINT32_MAX), FRAME_INCOMPLETE);
}

static void test_header_is_big_endian(void **state)
{
	static const uint8_t expected[] = { 0x01, 0x02, 0x03, 0x04 };
	uint8_t header[FRAME_HEADER];

	(void)state;
	frame_header(header, 0x01020304);
	assert_memory_equal(header, expected, sizeof(header));
}

/* Each part is on the heap by itself, so that a sanitizer sees a byte too far. */
static void test_cut_at_each_byte(void **state)
{
	static const uint8_t whole[] = "\0\0\0\5hello\0\0\0\2hi";
	struct frame f;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		uint8_t *part = malloc(n + 1); /* never of size 0 */
		memcpy(part, whole, n);
		enum frame_state got = frame_parse(part, n, CAP, &f);
		assert_int_equal(got, n < 9 ? FRAME_INCOMPLETE : FRAME_COMPLETE);
		assert_int_equal(f.length, n < FRAME_HEADER ? 0 : 5);
		if (got == FRAME_COMPLETE) {
			assert_ptr_equal(f.body, part + FRAME_HEADER);
			assert_memory_equal(f.body, "hello", 5);
		}
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_header_is_big_endian),
		cmocka_unit_test(test_cut_at_each_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
