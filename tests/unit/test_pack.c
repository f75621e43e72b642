#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/secret.h"
#include "sessiond/pack.h"

static int setup(void **state)
{
	(void)state;
	return secret_init(SECRET_HEAP_DEFAULT);
}

/* Packed, and cut to what is used. */
static struct secret *packed(const void *p, size_t n)
{
	CLEANUP(secret_freep) struct secret *roomy = NULL;
	struct secret *exact = NULL;
	size_t used = 0;

	assert_int_equal(pack_deflate(p, n, &roomy, &used), 0);
	assert_true(used <= pack_bound(n) && used <= roomy->len);
	assert_int_equal(secret_copy(roomy->data, used, &exact), 0);
	return exact;
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = { 1, 5, 1000, 100000 };
	uint8_t *data = malloc(100000);

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		data[i] = (uint8_t)(i * i >> 3);
	for (size_t i = 0; i < 4; i++) {
		CLEANUP(secret_freep) struct secret *p = packed(data, sizes[i]);
		CLEANUP(secret_freep) struct secret *out = NULL;

		assert_int_equal(pack_inflate(p, sizes[i], &out), 0);
		assert_int_equal(out->len, sizes[i]);
		assert_memory_equal(out->data, data, sizes[i]);
	}
	free(data);
}

static void test_bomb(void **state)
{
	uint8_t *zeros = calloc(1, 1 << 20);
	CLEANUP(secret_freep) struct secret *p = packed(zeros, 1 << 20);
	struct secret *out = NULL;

	(void)state;
	free(zeros);
	assert_true(p->len < 2000);
	assert_int_equal(pack_inflate(p, (1 << 20) - 1, &out), -EFBIG);
	p->data[0] = 0xff; /* announces 4 GiB */
	assert_int_equal(pack_inflate(p, SIZE_MAX, &out), -EFBIG);
	p->data[0] = 0;
	p->data[1] = 0;
	p->data[3] = 100; /* announces 100 bytes, inflates to more */
	assert_int_equal(pack_inflate(p, 1000, &out), -EBADMSG);
	p->data[1] = 0x10;
	p->data[3] = 1; /* announces a byte more than there is */
	assert_int_equal(pack_inflate(p, 2 << 20, &out), -EBADMSG);
	assert_null(out);
}

static void test_damaged(void **state)
{
	static const char text[] = "some text, some text, some text and more text";
	CLEANUP(secret_freep) struct secret *good = packed(text, sizeof(text));
	struct secret *out = NULL;

	(void)state;
	for (size_t n = 1; n < good->len; n++) {
		CLEANUP(secret_freep) struct secret *cut = NULL;

		assert_int_equal(secret_copy(good->data, n, &cut), 0);
		assert_int_equal(pack_inflate(cut, 1000, &out), -EBADMSG);
	}
	CLEANUP(secret_freep) struct secret *longer = NULL;

	assert_int_equal(secret_new(good->len + 1, &longer), 0);
	memcpy(longer->data, good->data, good->len);
	assert_int_equal(pack_inflate(longer, 1000, &out), -EBADMSG);
	memset(good->data, 0, 4);
	assert_int_equal(pack_inflate(good, 1000, &out), -EBADMSG);
	assert_null(out);
}

static void test_too_long_to_pack(void **state)
{
	struct secret *out = NULL;
	size_t n;

	(void)state;
	assert_int_equal(pack_deflate("x", (size_t)PACK_PLAIN_MAX + 1, &out, &n), -EFBIG);
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_too_long_to_pack),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
