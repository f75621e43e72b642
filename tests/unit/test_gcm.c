#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/gcm.h"

/* Test case 16 of the GCM submission to NIST (McGrew and Viega, appendix B). */
#define KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define NONCE "cafebabefacedbaddecaf888"
#define AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define PLAIN "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
	      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define CIPHER "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" \
	       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
#define TAG "76fc6ece0f4e1768cddf8853bb2d551b"
#define LEN 60

static uint8_t key[32], nonce[12], aad[20], plain[LEN], cipher[LEN], tag[16];
static const struct gcm message = { key, nonce, aad, sizeof(aad) };

static void unhex(const char *hex, uint8_t *out)
{
	unsigned int byte;

	for (; *hex; hex += 2) {
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		*out++ = (uint8_t)byte;
	}
}

static int setup(void **state)
{
	(void)state;
	unhex(KEY, key);
	unhex(NONCE, nonce);
	unhex(AAD, aad);
	unhex(PLAIN, plain);
	unhex(CIPHER, cipher);
	unhex(TAG, tag);
	return 0;
}

static void test_known_answer(void **state)
{
	uint8_t out[LEN], made[16];

	(void)state;
	assert_int_equal(gcm_encrypt(&message, plain, LEN, out, made), 0);
	assert_memory_equal(out, cipher, LEN);
	assert_memory_equal(made, tag, sizeof(tag));
	memset(out, 0, LEN);
	assert_int_equal(gcm_decrypt(&message, cipher, LEN, tag, out), 0);
	assert_memory_equal(out, plain, LEN);
}

/* Flips each bit of what, one at a time: refused, and no plaintext is left behind. */
static void each_bit(uint8_t *what, size_t n)
{
	static const uint8_t nothing[LEN];
	uint8_t out[LEN];

	for (size_t bit = 0; bit < n * 8; bit++) {
		what[bit / 8] ^= 1 << bit % 8;
		memset(out, 'x', LEN);
		assert_int_equal(gcm_decrypt(&message, cipher, LEN, tag, out), -EBADMSG);
		assert_memory_equal(out, nothing, LEN);
		what[bit / 8] ^= 1 << bit % 8;
	}
}

static void test_every_bit_counts(void **state)
{
	(void)state;
	each_bit(key, sizeof(key));
	each_bit(nonce, sizeof(nonce));
	each_bit(aad, sizeof(aad));
	each_bit(cipher, sizeof(cipher));
	each_bit(tag, sizeof(tag));
}

static void test_too_long(void **state)
{
	struct gcm long_aad = message;

	(void)state;
	long_aad.aad_len = (size_t)1 << 31;
	assert_int_equal(gcm_encrypt(&long_aad, plain, LEN, cipher, tag), -EIO);
	assert_int_equal(gcm_encrypt(&message, plain, (size_t)1 << 31, cipher, tag), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
