#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/hkdf.h"

/* RFC 5869, A.1: with salt and info. */
static void test_rfc_a1(void **state)
{
	static const uint8_t want[42] = {
		0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f,
		0x64, 0xd0, 0x36, 0x2f, 0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a,
		0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf, 0x34,
		0x00, 0x72, 0x08, 0xd5, 0xb8, 0x87, 0x18, 0x58, 0x65,
	};
	uint8_t key[22], salt[13], info[10], out[42];
	const struct hkdf_input in = { key, sizeof(key), salt, sizeof(salt), info, sizeof(info) };

	(void)state;
	memset(key, 0x0b, sizeof(key));
	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(0xf0 + i);
	assert_int_equal(hkdf_sha256(&in, out, sizeof(out)), 0);
	assert_memory_equal(out, want, sizeof(want));
}

/* RFC 5869, A.3: without. */
static void test_rfc_a3(void **state)
{
	static const uint8_t want[42] = {
		0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80,
		0x2a, 0x06, 0x3c, 0x5a, 0x31, 0xb8, 0xa1, 0x1f, 0x5c, 0x5e, 0xe1,
		0x87, 0x9e, 0xc3, 0x45, 0x4e, 0x5f, 0x3c, 0x73, 0x8d, 0x2d, 0x9d,
		0x20, 0x13, 0x95, 0xfa, 0xa4, 0xb6, 0x1a, 0x96, 0xc8,
	};
	uint8_t key[22], out[42];
	const struct hkdf_input in = { .key = key, .key_len = sizeof(key), .info = "" };

	(void)state;
	memset(key, 0x0b, sizeof(key));
	assert_int_equal(hkdf_sha256(&in, out, sizeof(out)), 0);
	assert_memory_equal(out, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_a1),
		cmocka_unit_test(test_rfc_a3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
