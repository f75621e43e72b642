#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "common/cbor_out.h"
#include "common/cleanup.h"

#define CORPUS "tests/fuzz/corpus/cbor"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static size_t unhex(const char *hex, uint8_t **ret)
{
	size_t n = strlen(hex) / 2;
	unsigned int byte;

	*ret = arena_alloc(arena, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		(*ret)[i] = (uint8_t)byte;
	}
	return n;
}

static int try_parse(const char *hex, size_t max_items, const struct cbor **ret)
{
	uint8_t *p;
	size_t n = unhex(hex, &p);

	return cbor_parse(arena, p, n, max_items, ret);
}

static const struct cbor *parse(const char *hex)
{
	const struct cbor *v = NULL;

	assert_int_equal(try_parse(hex, 1000, &v), 0);
	assert_non_null(v);
	return v;
}

static void refused(const char *hex, int error)
{
	const struct cbor *untouched = (const struct cbor *)hex, *v = untouched;

	if (try_parse(hex, 1000, &v) != error)
		fail_msg("%s: wanted %d", hex, error);
	assert_ptr_equal(v, untouched);
}

/* RFC 8949, appendix A, as far as it is in our subset. */
static void test_rfc_integers(void **state)
{
	static const struct {
		const char *hex;
		int64_t value;
	} rows[] = {
		{ "00", 0 }, { "0a", 10 }, { "17", 23 }, { "1818", 24 }, { "1903e8", 1000 },
		{ "1a000f4240", 1000000 }, { "1b000000e8d4a51000", 1000000000000 },
		{ "1b7fffffffffffffff", INT64_MAX }, { "20", -1 }, { "3863", -100 },
		{ "3903e7", -1000 }, { "3b7fffffffffffffff", INT64_MIN },
		{ "1800", 0 }, { "1b0000000000000001", 1 }, /* longer than need be: allowed */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t value = 77;

		assert_true(cbor_int(parse(rows[i].hex), &value));
		assert_true(value == rows[i].value);
	}
	refused("1bffffffffffffffff", -ERANGE);
	refused("1b8000000000000000", -ERANGE);
	refused("3bffffffffffffffff", -ERANGE);
	refused("3b8000000000000000", -ERANGE);
}

static void test_rfc_floats(void **state)
{
	static const struct {
		const char *hex;
		double value;
	} rows[] = {
		{ "f90000", 0.0 }, { "f93c00", 1.0 }, { "fb3ff199999999999a", 1.1 },
		{ "f93e00", 1.5 }, { "f97bff", 65504.0 }, { "fa47c35000", 100000.0 },
		{ "fa7f7fffff", 3.4028234663852886e+38 }, { "fb7e37e43c8800759c", 1.0e+300 },
		{ "f90001", 5.960464477539063e-8 }, { "f90400", 0.00006103515625 },
		{ "f9c400", -4.0 }, { "fbc010666666666666", -4.1 }, { "f97c00", INFINITY },
		{ "f9fc00", -INFINITY }, { "fa7f800000", INFINITY },
		{ "fbfff0000000000000", -INFINITY },
	};
	double d = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(cbor_double(parse(rows[i].hex), &d));
		assert_true(d == rows[i].value);
	}
	assert_true(cbor_double(parse("f98000"), &d) && d == 0 && signbit(d));
	assert_true(cbor_double(parse("f97e00"), &d) && isnan(d));
	assert_true(cbor_double(parse("fa7fc00000"), &d) && isnan(d));
}

static void test_numbers_convert(void **state)
{
	int64_t i = 77;
	double d = 77;

	(void)state;
	assert_true(cbor_int(parse("fb4059000000000000"), &i) && i == 100);
	assert_true(cbor_double(parse("20"), &d) && d == -1);
	i = 77;
	assert_false(cbor_int(parse("fb3ff199999999999a"), &i));
	assert_false(cbor_int(parse("f97e00"), &i));
	assert_false(cbor_int(parse("f97c00"), &i));
	assert_false(cbor_int(parse("fb7e37e43c8800759c"), &i));
	assert_int_equal(i, 77);
}

static void test_simple_values(void **state)
{
	bool b = false;

	(void)state;
	assert_true(cbor_bool(parse("f5"), &b) && b);
	assert_true(cbor_bool(parse("f4"), &b) && !b);
	assert_true(cbor_is(parse("f6"), CBOR_NULL));
	refused("f7", -ENOTSUP);
	refused("f0", -ENOTSUP);
	refused("f8ff", -ENOTSUP);
}

static void test_strings_point_into_the_input(void **state)
{
	const uint8_t message[] = { 0x82, 0x61, 'a', 0x42, 0, 0xff };
	const struct cbor *v;
	size_t n = 0;

	(void)state;
	assert_int_equal(cbor_parse(arena, message, sizeof(message), 10, &v), 0);
	assert_ptr_equal(cbor_raw(cbor_at(v, 0), &n), message + 1);
	assert_int_equal(n, 2);
	assert_ptr_equal(cbor_bytes(cbor_at(v, 1), &n), message + 4);
	assert_int_equal(n, 2);
	assert_false(cbor_is(cbor_at(v, 1), CBOR_TEXT));
	assert_null(cbor_bytes(cbor_at(v, 0), &n));
}

static void test_maps_and_arrays(void **state)
{
	/* {"a": 1, "bb": [2, 3], "c": {"d": null}}: of definite and of indefinite length */
	static const char *const forms[] = {
		"a3616101626262820203" "6163a16164f6",
		"bf6161016262629f0203ff" "6163bf6164f6ffff",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct cbor *v = parse(forms[i]);
		size_t n = 0;

		assert_int_equal(cbor_count(v), 3);
		assert_int_equal(cbor_get_int(v, "a", -5), 1);
		assert_int_equal(cbor_count(cbor_get(v, "bb")), 2);
		assert_true(cbor_is(cbor_get(cbor_get(v, "c"), "d"), CBOR_NULL));
		assert_null(cbor_get(v, "b"));
		assert_null(cbor_get(cbor_get(v, "x"), "y"));
		assert_null(cbor_at(cbor_get(v, "bb"), 2));
		assert_memory_equal(cbor_key(cbor_first(v), &n), "a", 1);
		assert_memory_equal(cbor_key(cbor_next(cbor_first(v)), &n), "bb", 2);
		assert_int_equal(n, 2);
		assert_null(cbor_key(v, &n));
	}
}

static void test_large_map_is_searchable(void **state)
{
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();
	const struct cbor *v;
	const uint8_t *p;
	char key[16];
	size_t n;

	(void)state;
	cbor_put_map(o, 3000);
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "k%d", i * 7919 % 3000);
		cbor_put_text(o, key);
		cbor_put_int(o, i);
	}
	assert_int_equal(cbor_out_finish(o, &p, &n), 0);
	assert_int_equal(cbor_parse(arena, p, n, 5999, &v), -E2BIG);
	assert_int_equal(cbor_parse(arena, p, n, 6001, &v), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "k%d", i * 7919 % 3000);
		assert_int_equal(cbor_get_int(v, key, -1), i);
	}
}

static void test_envelopes(void **state)
{
	size_t n = 0, raw_n = 0;
	const struct cbor *v = parse("d8185a00000005bf616105ff");

	(void)state;
	assert_true(cbor_is(v, CBOR_MAP));
	assert_int_equal(cbor_get_int(v, "a", 0), 5);
	assert_non_null(cbor_raw(v, &raw_n));
	assert_int_equal(raw_n, 12);
	/* nested, and of the short form that RFC 8949 allows */
	v = parse("d818479fd818429fffff");
	assert_int_equal(cbor_count(v), 1);
	assert_int_equal(cbor_count(cbor_at(v, 0)), 0);
	/* tag 22: bytes that are no string */
	v = parse("d642ffd8");
	assert_memory_equal(cbor_bytes(v, &n), "\xff\xd8", 2);
	assert_null(cbor_text_utf8(arena, v));
	assert_non_null(cbor_text_utf8(arena, parse("42ffd8")));
}

static void test_bad_envelopes(void **state)
{
	(void)state;
	refused("d8185a00000004bf616105ff", -EBADMSG);   /* one short: cut in the map */
	refused("d8185a00000006bf616105ff", -EBADMSG);   /* one long */
	refused("d8185a00000006bf616105ff00", -EBADMSG); /* content ends before the envelope */
	refused("d8185a00000000", -EBADMSG);
	refused("d8185affffffff00", -EBADMSG);
	refused("d8185bffffffffffffffff00", -EBADMSG);
	refused("d81863616161", -ENOTSUP);               /* around text */
	refused("d8185f4100ff", -ENOTSUP);               /* around a chunked string */
	refused("d81843d81800", -ENOTSUP);               /* directly in an envelope */
	refused("d818", -EBADMSG);
	refused("82d8185a00000003010203", -EBADMSG);     /* swallows its neighbour */
}

static void test_refused(void **state)
{
	(void)state;
	refused("", -EBADMSG);
	refused("0000", -EBADMSG);             /* trailing */
	refused("18", -EBADMSG);
	refused("1901", -EBADMSG);
	refused("6161" "61", -EBADMSG);
	refused("6261", -EBADMSG);
	refused("5bffffffffffffffff00", -EBADMSG);
	refused("8201", -EBADMSG);
	refused("9bffffffffffffffff", -EBADMSG);
	refused("9f01", -EBADMSG);
	refused("bf6161", -EBADMSG);
	refused("bf6161ff", -EBADMSG);         /* a key without a value */
	refused("ff", -EBADMSG);
	refused("81ff", -EBADMSG);
	refused("1c", -EBADMSG);
	refused("1f", -EBADMSG);
	refused("3f", -EBADMSG);
	refused("df", -EBADMSG);
	refused("fc", -EBADMSG);
	refused("5f4100ff", -ENOTSUP);
	refused("7f6161ff", -ENOTSUP);
	refused("c000", -ENOTSUP);
	refused("d9d9f700", -ENOTSUP);
	refused("a10000", -ENOTSUP);           /* a key that is a number */
	refused("a2616100616101", -EEXIST);
	refused("a261610042610001", -EEXIST);  /* the same key in UTF-16 */
}

static void test_utf8(void **state)
{
	(void)state;
	parse("62c3bc");
	parse("64f0908591");
	parse("63ed9fbf");
	parse("64f48fbfbf");
	parse("6100");
	refused("61ff", -EILSEQ);
	refused("62c0af", -EILSEQ);
	refused("63e08080", -EILSEQ);
	refused("63eda080", -EILSEQ);     /* a surrogate */
	refused("64f4908080", -EILSEQ);
	refused("64f0808080", -EILSEQ);
	refused("61c3", -EILSEQ);
	refused("6a61616161616161616180", -EILSEQ);
	refused("a161ff00", -EILSEQ);
}

static void test_depth(void **state)
{
	char hex[4 * CBOR_DEPTH_MAX * 2 + 8] = "";
	const struct cbor *v;

	(void)state;
	for (int i = 0; i < CBOR_DEPTH_MAX; i++)
		strcat(hex, "81");
	strcat(hex, "00");
	v = parse(hex);
	for (int i = 0; i < CBOR_DEPTH_MAX; i++)
		v = cbor_at(v, 0);
	assert_true(cbor_is(v, CBOR_INT));
	hex[0] = 0;
	for (int i = 0; i < CBOR_DEPTH_MAX + 1; i++)
		strcat(hex, "81");
	strcat(hex, "00");
	refused(hex, -E2BIG);
	hex[0] = 0;
	for (int i = 0; i < 4 * CBOR_DEPTH_MAX; i++)
		strcat(hex, "9f");
	refused(hex, -E2BIG);
}

static void test_item_cap(void **state)
{
	const struct cbor *v = NULL;

	(void)state;
	assert_int_equal(try_parse("83010203", 4, &v), 0);
	assert_int_equal(try_parse("83010203", 3, &v), -E2BIG);
	assert_int_equal(try_parse("a1616101", 3, &v), 0);
	assert_int_equal(try_parse("a1616101", 2, &v), -E2BIG);
	assert_int_equal(try_parse("00", 0, &v), -E2BIG);
}

static void test_chromium_strings(void **state)
{
	size_t n;
	/* "ü" U+1F600, a lone surrogate, NUL, "x" */
	const struct cbor *v = parse("4cfc003dd800de00d800007800");

	(void)state;
	assert_string_equal(cbor_text_utf8(arena, v),
			    "\xc3\xbc\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbdx");
	assert_string_equal(cbor_text_utf8(arena, parse("43610000")), "a\xef\xbf\xbd");
	assert_string_equal(cbor_text_utf8(arena, parse("63610062")), "a\xef\xbf\xbd" "b");
	assert_string_equal(cbor_text_utf8(arena, parse("40")), "");
	assert_string_equal(cbor_text_utf8(arena, parse("4200dc")), "\xef\xbf\xbd");
	assert_null(cbor_text_utf8(arena, parse("01")));
	assert_null(cbor_text_utf8(arena, NULL));
	assert_true(cbor_text_is(parse("626869"), "hi"));
	assert_true(cbor_text_is(parse("4468006900"), "hi"));
	assert_false(cbor_text_is(parse("4468006900"), "h"));
	assert_false(cbor_text_is(parse("4468006900"), "hix"));
	assert_false(cbor_text_is(parse("4200d8"), "\xed\xa0\x80"));
	assert_false(cbor_text_is(parse("d64468006900"), "hi"));
	assert_false(cbor_text_is(NULL, ""));
	/* keys */
	v = parse("a142fc0001");
	assert_int_equal(cbor_get_int(v, "\xc3\xbc", 0), 1);
	assert_memory_equal(cbor_key(cbor_first(v), &n), "\xc3\xbc", 2);
	refused("a14200d801", -EILSEQ);
	refused("a1416101", -EILSEQ);
}

static void test_conveniences(void **state)
{
	const struct cbor *v = parse("a4616905616df5616461786174" "fb3ff8000000000000");

	(void)state;
	assert_int_equal(cbor_get_int(v, "i", 1), 5);
	assert_true(cbor_get_bool(v, "m", false));
	assert_false(cbor_get_bool(v, "i", false));
	assert_true(cbor_get_double(v, "t", 0) == 1.5);
	assert_true(cbor_get_double(v, "zz", 2.5) == 2.5);
	assert_true(cbor_text_is(cbor_get(v, "d"), "x"));
	assert_false(cbor_is(cbor_get(v, "i"), CBOR_TEXT));
	assert_string_equal(cbor_get_utf8(arena, v, "d"), "x");
	assert_null(cbor_get_utf8(arena, v, "i"));
	assert_int_equal(cbor_count(NULL), 0);
	assert_null(cbor_first(NULL));
	assert_null(cbor_first(cbor_get(v, "i")));
}

static void written(struct cbor_out *o, const char *hex)
{
	const uint8_t *p;
	uint8_t *want;
	size_t n, want_n = unhex(hex, &want);

	assert_int_equal(cbor_out_finish(o, &p, &n), 0);
	assert_int_equal(n, want_n);
	assert_memory_equal(p, want, n);
	cbor_out_reset(o);
}

static void test_writer(void **state)
{
	static const struct {
		int64_t value;
		const char *hex;
	} ints[] = {
		{ 0, "00" }, { 23, "17" }, { 24, "1818" }, { 255, "18ff" }, { 256, "190100" },
		{ 65535, "19ffff" }, { 65536, "1a00010000" }, { 4294967295, "1affffffff" },
		{ 4294967296, "1b0000000100000000" }, { INT64_MAX, "1b7fffffffffffffff" },
		{ -1, "20" }, { -25, "3818" }, { INT64_MIN, "3b7fffffffffffffff" },
	};
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();

	(void)state;
	for (size_t i = 0; i < sizeof(ints) / sizeof(*ints); i++) {
		cbor_put_int(o, ints[i].value);
		written(o, ints[i].hex);
	}
	cbor_put_double(o, 1.1);
	written(o, "fb3ff199999999999a");
	cbor_put_map(o, 2);
	cbor_put_text(o, "a");
	cbor_put_bool(o, true);
	cbor_put_text_n(o, "b\0", 2);
	cbor_put_null(o);
	written(o, "a26161f5626200f6");
	cbor_put_array(o, 3);
	cbor_put_bytes(o, "\0\xff", 2);
	cbor_put_binary(o, "x", 1);
	cbor_put_bytes(o, "\0\xd8" "a", 4); /* UTF-16LE, with a lone surrogate */
	written(o, "834200ffd641784400d86100");
	cbor_cdp_int(o, INT32_MAX);
	written(o, "1a7fffffff");
	cbor_cdp_int(o, 2147483648);
	written(o, "fb41e0000000000000");
	cbor_put_bytes(o, NULL, 0);
	written(o, "40");
}

static void test_writer_envelopes(void **state)
{
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();

	(void)state;
	cbor_cdp_map_begin(o);
	cbor_put_text(o, "id");
	cbor_put_int(o, 1);
	cbor_put_text(o, "p");
	cbor_cdp_array_begin(o);
	cbor_cdp_map_begin(o);
	cbor_cdp_map_end(o);
	cbor_cdp_array_end(o);
	cbor_cdp_map_end(o);
	written(o, "d8185a0000001abf62696401617" "0d8185a0000000b9fd8185a00000002bfffffff");
}

static void test_raw_is_handed_on(void **state)
{
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();
	const struct cbor *v = parse("83d8185a00000002bfff4261001903e8");
	size_t n = 0;

	(void)state;
	cbor_put_array(o, 3);
	for (const struct cbor *c = cbor_first(v); c; c = cbor_next(c)) {
		const uint8_t *p = cbor_raw(c, &n);

		cbor_put_raw(o, p, n);
	}
	written(o, "83d8185a00000002bfff4261001903e8");
}

static void test_writer_mistakes(void **state)
{
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();
	const uint8_t *p;
	size_t n;

	(void)state;
	assert_int_equal(cbor_out_finish(o, &p, &n), -EINVAL);
	cbor_out_reset(o);
	cbor_put_text(o, "\xff");
	assert_int_equal(cbor_out_finish(o, &p, &n), -EILSEQ);
	cbor_out_reset(o);
	cbor_map_begin(o);
	assert_int_equal(cbor_out_finish(o, &p, &n), -EINVAL);
	cbor_out_reset(o);
	cbor_map_begin(o);
	cbor_array_end(o);
	cbor_map_end(o);
	assert_int_equal(cbor_out_finish(o, &p, &n), -EINVAL);
	cbor_out_reset(o);
	cbor_map_end(o);
	assert_int_equal(cbor_out_finish(o, &p, &n), -EINVAL);
	cbor_out_reset(o);
	cbor_cdp_map_begin(o);
	cbor_cdp_array_end(o);
	assert_int_equal(cbor_out_finish(o, &p, &n), -EINVAL);
	cbor_out_reset(o);
	for (int i = 0; i < 1000; i++)
		cbor_array_begin(o);
	for (int i = 0; i < 1000; i++)
		cbor_array_end(o);
	assert_int_equal(cbor_out_finish(o, &p, &n), -E2BIG);
	cbor_out_reset(o);
	cbor_put_null(o);
	assert_int_equal(cbor_out_finish(o, &p, &n), 0);
}

/* Every prefix of a message with everything in it is refused, and never touches ret. */
static void test_truncation(void **state)
{
	uint8_t *p;
	size_t n = unhex("d8185a00000023bf626964016170d8185a000000149fd642ffd8fb3ff199999999999a"
			 "42fc00f5f6ffff", &p);
	const struct cbor *v = NULL;

	(void)state;
	assert_int_equal(cbor_parse(arena, p, n, 100, &v), 0);
	for (size_t i = 0; i < n; i++) {
		uint8_t *cut = malloc(i ? i : 1);

		v = NULL;
		memcpy(cut, p, i);
		assert_int_equal(cbor_parse(arena, cut, i, 100, &v), -EBADMSG);
		assert_null(v);
		free(cut);
	}
}

static void replay(const char *dir, const char *name)
{
	char *path = arena_printf(arena, "%s/%s", dir, name);
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	const struct cbor *v = NULL;
	size_t n;
	int e;

	assert_non_null(f);
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	e = cbor_parse(arena, data, n, 4096, &v);
	if ((e == 0) != (v != NULL))
		fail_msg("%s: %d", path, e);
	if (strncmp(name, "ok-", 3) == 0 && e != 0)
		fail_msg("%s: %d", path, e);
	if (strncmp(name, "bad-", 4) == 0 && e == 0)
		fail_msg("%s was accepted", path);
}

static void test_corpus(void **state)
{
	const char *dir = getenv("STEAD_CBOR_CORPUS");
	struct dirent *e;
	size_t files = 0;
	DIR *d;

	(void)state;
	dir = dir ? dir : CORPUS;
	d = opendir(dir);
	if (!d)
		fail_msg("%s: run from the root of the repository", dir);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		replay(dir, e->d_name);
		files++;
	}
	closedir(d);
	assert_true(files > 0);
}

static void test_errors_have_sentences(void **state)
{
	(void)state;
	assert_non_null(strstr(cbor_error(-EEXIST), "same key twice"));
	assert_non_null(strstr(cbor_error(-EINVAL), "out of order"));
	assert_non_null(cbor_error(-EIO));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc_integers), T(test_rfc_floats), T(test_numbers_convert),
		T(test_simple_values), T(test_strings_point_into_the_input),
		T(test_maps_and_arrays), T(test_large_map_is_searchable), T(test_envelopes),
		T(test_bad_envelopes), T(test_refused), T(test_utf8), T(test_depth),
		T(test_item_cap), T(test_chromium_strings), T(test_conveniences), T(test_writer),
		T(test_writer_envelopes), T(test_raw_is_handed_on), T(test_writer_mistakes),
		T(test_truncation), T(test_corpus), T(test_errors_have_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
