#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "common/cleanup.h"
#include "common/secret.h"
#include "sessiond/envelope.h"
#include "sessiond/masterkey.h"
#include "sessiond/pack.h"

#define COUNTING "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" /* 00 01 02 ... 1f */
#define OTHER "ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE="
#define PLAIN "{\"cookies\":[\"sid=secret\"]}"
#define MAX 100000

static const struct envelope_context context = {
	.user = "7d9f6c1e-user", .site = "desks.test", .fingerprint = "bg-0123456789abcdef",
	.row = "row-1", .kind = "state", .account = "a@example.org", .version = 42, .proved_at_ms = 1790000000123,
};

/* Made by another implementation: see envelope.h for every byte of it. It must open for ever. */
static const char frozen[] =
	"53544501000000077c6533a4a0263594a6d2a527820e8534a1131605c23d527c"
	"ca466cb96660e27911111111111111111111111100e1163c3c85a929e0f6af89"
	"cda89e35738e123681a406feb542019db4fe5dcdc20647716ee8346a4e866ec0"
	"5452dd1d9e6c0d5eaac8432643e39a348ccd23ce051d13ac44827ac36b2de196"
	"36469e49222222222222222222222222d1bb6a84dd69ea629987e82e34557c08"
	"cad44d4bdd33d19e1f4543524127580d6a4387e662afa4865c4434041bb9147e"
	"4a951b1059f14a01";

static const char frozen_2[] =
	"53544502000000075803c6d63ffba125bd75fb9130f258e7a3b3168b68e5e7ba"
	"fed7cf61d6627868444444444444444444444444d71ce577871ea4976cdcd24b"
	"2c829642baeee7ed073a323cafba037f43e02f08e1e2582145946441c0fd4968"
	"4557b1b950807f36a6f8ebeeabe48c25270be654587a0e5298945d56762866be"
	"a37e8b2e5555555555555555555555556979df7c47a1d9bccdd48152335613d1"
	"2fd8fd1d97d932c857e38f73c39d7237dc6b818735fa292e2c89382798c867c6"
	"19976889fd769172";

static struct masterkeys *keys_of(const char *text)
{
	char path[] = "/tmp/test_envelope.XXXXXX", why[MASTERKEY_WHY];
	CLEANUP(closep) int fd = mkostemp(path, O_CLOEXEC);
	struct masterkeys *keys = NULL;
	int r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	r = masterkeys_load(path, &keys, why);
	unlink(path);
	if (r)
		fail_msg("%s", why);
	return keys;
}

static struct masterkeys *keys;
static struct envelope_blob blob;

static int setup(void **state)
{
	(void)state;
	if (secret_init(SECRET_HEAP_DEFAULT) < 0)
		return -1;
	keys = keys_of("7:" COUNTING "\n");
	return envelope_seal(keys, &context, PLAIN, strlen(PLAIN), &blob);
}

static int teardown(void **state)
{
	(void)state;
	envelope_blob_free(&blob);
	keys = masterkeys_free(keys);
	return 0;
}

static int open_error(const struct masterkeys *with, const struct envelope_context *c,
		      const void *p, size_t n)
{
	struct secret *out = NULL;
	int r = envelope_open(with, c, p, n, MAX, &out);

	assert_true((r == 0) == (out != NULL));
	secret_free(out);
	return r;
}

static void opens(const struct masterkeys *with, const struct envelope_blob *b)
{
	CLEANUP(secret_freep) struct secret *out = NULL;

	assert_int_equal(envelope_open(with, &context, b->data, b->len, MAX, &out), 0);
	assert_int_equal(out->len, strlen(PLAIN));
	assert_memory_equal(out->data, PLAIN, out->len);
}

/* The number of the master key that it is wrapped under, where envelope.h says that it stands. */
static uint32_t key_of(const struct envelope_blob *b)
{
	uint32_t id;

	memcpy(&id, b->data + 4, sizeof(id));
	return be32toh(id);
}

static void test_round_trip(void **state)
{
	(void)state;
	opens(keys, &blob);
	assert_int_equal(key_of(&blob), 7);
	assert_null(memmem(blob.data, blob.len, "secret", 6));
}

static void test_every_save_is_fresh(void **state)
{
	CLEANUP(envelope_blob_free) struct envelope_blob again = {};

	(void)state;
	assert_int_equal(envelope_seal(keys, &context, PLAIN, strlen(PLAIN), &again), 0);
	assert_int_equal(again.len, blob.len);
	assert_memory_equal(again.data, blob.data, 40);
	assert_memory_not_equal(again.data + 40, blob.data + 40, 12);
	assert_memory_not_equal(again.data + 52, blob.data + 52, 32);
	assert_memory_not_equal(again.data + 100, blob.data + 100, 32);
	assert_memory_not_equal(again.data + 132, blob.data + 132, 12);
	assert_memory_not_equal(again.data + 144, blob.data + 144, blob.len - 144);
}

/* What a flipped byte at this place is called. */
static int damage_at(size_t i)
{
	return i < 4 ? -EPROTONOSUPPORT : i < 8 ? -ENOKEY : i < 40 ? -EBADMSG :
	       i < 132 ? -EKEYREJECTED : -EBADMSG;
}

static void test_every_bit_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < blob.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			blob.data[i] ^= 1 << bit;
			assert_int_equal(open_error(keys, &context, blob.data, blob.len),
					 damage_at(i));
			blob.data[i] ^= 1 << bit;
		}
	}
	opens(keys, &blob);
}

static void test_truncation_and_extension(void **state)
{
	uint8_t *copy = malloc(blob.len + 1);

	(void)state;
	for (size_t n = 0; n < blob.len; n++) {
		uint8_t *cut = malloc(n ? n : 1);

		memcpy(cut, blob.data, n);
		assert_int_equal(open_error(keys, &context, cut, n), -EBADMSG);
		free(cut);
	}
	memcpy(copy, blob.data, blob.len);
	copy[blob.len] = 0;
	assert_int_equal(open_error(keys, &context, copy, blob.len + 1), -EBADMSG);
	free(copy);
}

static void test_every_field_of_the_context_counts(void **state)
{
	struct envelope_context c[12];
	const size_t n = sizeof(c) / sizeof(*c);

	(void)state;
	for (size_t i = 0; i < n; i++)
		c[i] = context;
	c[0].user = "7d9f6c1f-user";
	c[1].site = "desks.tesu";
	c[2].fingerprint = "";
	c[3].row = "row-2";
	c[4].kind = "profile";
	c[5].version = 41;
	c[6].version = 42 + (1ull << 32);
	/* the same letters, divided otherwise */
	c[7].user = "7d9f6c1e-userd";
	c[7].site = "esks.test";
	c[8].account = "b@example.org";
	c[9].account = "";
	c[10].proved_at_ms = 0;
	c[11].proved_at_ms++;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(open_error(keys, &c[i], blob.data, blob.len), -EBADMSG);
}

/*
 * The hash in the open is a label only: whoever rewrites it to fit another row still fails, by the
 * AAD of the wrap.
 */
static void test_forged_context_hash(void **state)
{
	struct envelope_context moved = context;
	CLEANUP(envelope_blob_free) struct envelope_blob there = {};

	(void)state;
	moved.user = "mallory";
	assert_int_equal(envelope_seal(keys, &moved, "x", 1, &there), 0);
	memcpy(blob.data + 8, there.data + 8, 32);
	assert_int_equal(open_error(keys, &moved, blob.data, blob.len), -EKEYREJECTED);
	/* with the wrap and the commitment of the other row too: the content's own tag */
	memcpy(blob.data, there.data, 144);
	assert_int_equal(open_error(keys, &moved, blob.data, blob.len), -EBADMSG);
}

static void test_wrong_and_unknown_master_key(void **state)
{
	CLEANUP(masterkeys_freep) struct masterkeys *wrong = keys_of("7:" OTHER "\n");
	CLEANUP(masterkeys_freep) struct masterkeys *unknown = keys_of("8:" COUNTING "\n");
	struct envelope_blob none = {};

	(void)state;
	assert_int_equal(open_error(wrong, &context, blob.data, blob.len), -EKEYREJECTED);
	assert_int_equal(open_error(unknown, &context, blob.data, blob.len), -ENOKEY);
	assert_int_equal(envelope_rewrap(wrong, &context, blob.data, blob.len, &none),
			 -EKEYREJECTED);
	assert_int_equal(envelope_rewrap(unknown, &context, blob.data, blob.len, &none), -ENOKEY);
	assert_null(none.data);
}

static void test_rewrap(void **state)
{
	CLEANUP(masterkeys_freep) struct masterkeys *both =
		keys_of("7:" COUNTING "\n8:" OTHER "\n");
	CLEANUP(masterkeys_freep) struct masterkeys *new = keys_of("8:" OTHER "\n");
	CLEANUP(envelope_blob_free) struct envelope_blob b = {};
	CLEANUP(envelope_blob_free) struct envelope_blob twice = {};
	struct envelope_context other = context;

	(void)state;
	other.version++;
	assert_int_equal(envelope_rewrap(both, &other, blob.data, blob.len, &b), -EBADMSG);
	assert_int_equal(envelope_rewrap(both, &context, blob.data, blob.len, &b), 0);
	assert_int_equal(key_of(&b), 8);
	assert_int_equal(b.len, blob.len);
	assert_memory_equal(b.data + 100, blob.data + 100, blob.len - 100); /* untouched */
	opens(new, &b);
	opens(both, &b);
	assert_int_equal(open_error(keys, &context, b.data, b.len), -ENOKEY);
	/* again: as good, so that a rotation may be resumed without care */
	assert_int_equal(envelope_rewrap(both, &context, b.data, b.len, &twice), 0);
	opens(new, &twice);
	opens(both, &blob); /* the old blob too, until it is replaced */
}

static void test_size_limits(void **state)
{
	char *zeros = calloc(1, 50000);
	CLEANUP(envelope_blob_free) struct envelope_blob small = {};
	struct envelope_blob none = {};
	struct secret *out = NULL;

	(void)state;
	assert_int_equal(envelope_seal(keys, &context, zeros, 50000, &small), 0);
	assert_true(small.len < 500);
	assert_int_equal(envelope_open(keys, &context, small.data, small.len, 49999, &out),
			 -EFBIG);
	assert_int_equal(envelope_open(keys, &context, small.data, small.len, 50000, &out), 0);
	out = secret_free(out);
	/* a blob that cannot be that small inside is refused before any work */
	assert_int_equal(envelope_open(keys, &context, blob.data, blob.len, 1, &out), -EFBIG);
	assert_int_equal(envelope_seal(keys, &context, zeros, 0, &none), -EINVAL);
	assert_int_equal(envelope_seal(keys, &context, zeros, (size_t)PACK_PLAIN_MAX + 1, &none),
			 -EFBIG);
	assert_null(none.data);
	free(zeros);
}

/* The bytes of a frozen blob, to be freed. */
static struct envelope_blob thawed(const char *hex)
{
	struct envelope_blob b = { .data = malloc(strlen(hex) / 2), .len = strlen(hex) / 2 };
	unsigned int byte;

	for (size_t i = 0; i < b.len; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		b.data[i] = (uint8_t)byte;
	}
	return b;
}

static void opens_as(const struct masterkeys *with, const struct envelope_blob *b, const char *text)
{
	CLEANUP(secret_freep) struct secret *out = NULL;

	assert_int_equal(envelope_open(with, &context, b->data, b->len, MAX, &out), 0);
	assert_int_equal(out->len, strlen(text));
	assert_memory_equal(out->data, text, out->len);
}

static void test_frozen_formats(void **state)
{
	CLEANUP(masterkeys_freep) struct masterkeys *both = keys_of("7:" COUNTING "\n8:" OTHER "\n");
	CLEANUP(envelope_blob_free) struct envelope_blob one = thawed(frozen), two = thawed(frozen_2), again = {};

	(void)state;
	opens_as(keys, &one, "a frozen session of format 1");
	opens_as(keys, &two, "a frozen session of format 2");
	assert_int_equal(envelope_format(one.data, one.len), 1);
	assert_int_equal(envelope_format(two.data, two.len), 2);
	assert_int_equal(envelope_rewrap(both, &context, one.data, one.len, &again), 0);
	assert_int_equal(envelope_format(again.data, again.len), 1); /* as it was, under another key */
	opens_as(both, &again, "a frozen session of format 1");
}

/* What format 1 does not bind, and format 2 does: so the former must end. */
static void test_what_format_1_lets_pass(void **state)
{
	CLEANUP(envelope_blob_free) struct envelope_blob one = thawed(frozen), two = thawed(frozen_2);
	struct envelope_context other = context;

	(void)state;
	other.account = "mallory@example.org";
	assert_int_equal(open_error(keys, &other, one.data, one.len), 0);
	assert_int_equal(open_error(keys, &other, two.data, two.len), -EBADMSG);
}

static void test_other_formats(void **state)
{
	(void)state;
	assert_int_equal(envelope_format(blob.data, blob.len), 2);
	blob.data[3] = 1; /* called an old one: no context of format 1 has that hash */
	assert_int_equal(open_error(keys, &context, blob.data, blob.len), -EBADMSG);
	blob.data[3] = 3;
	assert_int_equal(open_error(keys, &context, blob.data, blob.len), -EPROTONOSUPPORT);
	assert_int_equal(open_error(keys, &context, blob.data, 2), -EBADMSG);
}

static void test_no_secret_is_left_behind(void **state)
{
	size_t before = CRYPTO_secure_used();

	(void)state;
	opens(keys, &blob);
	blob.data[blob.len - 1] ^= 1;
	assert_int_equal(open_error(keys, &context, blob.data, blob.len), -EBADMSG);
	assert_int_equal(CRYPTO_secure_used(), before);
}

static void test_errors_say_what_to_do(void **state)
{
	(void)state;
	assert_non_null(strstr(envelope_error(-ENOKEY), "put that key's line back"));
	assert_non_null(strstr(envelope_error(-EKEYREJECTED), "put the right key back"));
	assert_non_null(strstr(envelope_error(-EBADMSG), "sign in again"));
	assert_non_null(strstr(envelope_error(-EPROTONOSUPPORT), "upgrade"));
	assert_non_null(strstr(envelope_error(-EKEYEXPIRED), "accept-restore"));
	assert_non_null(strstr(envelope_error(-ENOMEM), "LimitMEMLOCK"));
	assert_non_null(envelope_error(-EFBIG));
	assert_non_null(envelope_error(-EIO));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_round_trip), T(test_every_save_is_fresh), T(test_every_bit_counts),
		T(test_truncation_and_extension), T(test_every_field_of_the_context_counts),
		T(test_forged_context_hash), T(test_wrong_and_unknown_master_key), T(test_rewrap),
		T(test_size_limits), T(test_frozen_formats), T(test_what_format_1_lets_pass), T(test_other_formats),
		T(test_no_secret_is_left_behind), T(test_errors_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
