/* What the edge reads of a request and makes of a picture: cookie.c, origin.c, picture.c, mailbox.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings.h"
#include "streamd/cookie.h"
#include "streamd/mailbox.h"
#include "streamd/origin.h"
#include "streamd/picture.h"

static void expect_cookie(const char *header, const char *value)
{
	char out[8];

	assert_int_equal(cookie_value(header, "stead", out, sizeof(out)), value != NULL);
	assert_string_equal(out, value ? value : "");
}

static void test_cookie(void **state)
{
	(void)state;
	expect_cookie("stead=abc", "abc");
	expect_cookie("a=b; stead=abc; c=d", "abc");
	expect_cookie("a=b;stead=abc;c=d", "abc");
	expect_cookie("  stead=abc  ", "abc");
	expect_cookie("stead=", "");
	expect_cookie("stead=1234567", "1234567");
	expect_cookie("stead=12345678", NULL);
	expect_cookie("", NULL);
	expect_cookie(";;;", NULL);
	expect_cookie("stead", NULL);
	expect_cookie("steady=abc", NULL);
	expect_cookie("instead=abc", NULL);
	expect_cookie("Stead=abc", NULL);
	expect_cookie("a=stead=abc", NULL);
	expect_cookie("stead=abc; stead=def", NULL); /* somebody planted one */
	expect_cookie("stead=abc; a=b; stead=abc", NULL);
}

static void test_origin(void **state)
{
	static char *const two[] = { "https://stead.test", "http://localhost:8080" };
	const struct words origins = { .items = (char **)two, .count = 2 }, none = { 0 };

	(void)state;
	assert_true(origin_is_allowed(&origins, "https://stead.test"));
	assert_true(origin_is_allowed(&origins, "http://localhost:8080"));
	assert_false(origin_is_allowed(&origins, "http://localhost"));
	assert_false(origin_is_allowed(&origins, "https://STEAD.test"));
	assert_false(origin_is_allowed(&origins, "https://stead.test/"));
	assert_false(origin_is_allowed(&origins, "https://stead.test.evil.test"));
	assert_false(origin_is_allowed(&origins, "null"));
	assert_false(origin_is_allowed(&origins, ""));
	assert_false(origin_is_allowed(&origins, NULL));
	assert_false(origin_is_allowed(&none, "https://stead.test"));
}

static void test_origin_is_valid(void **state)
{
	static const char *const good[] = { "https://stead.example.org", "http://localhost:8080", "http://127.0.0.1:1",
		"https://[::1]:8443", "https://[2001:db8::1]", "https://a:65535", "https://a:80", "http://a:443" };
	static const char *const bad[] = { "", "null", "stead.example.org", "ftp://a", "https://", "https://a/", "https://a/b",
		"https://A", "https://a:443", "http://a:80", "https://a:", "https://a:0", "https://a:65536", "https://a:1x",
		"https://a:-1", "https://a:+1", "https://u@a", "https://a?b", "https://[::1", "https://[]", "https://a b",
		"HTTPS://a", "https://[g::1]" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!origin_is_valid(good[i]))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (origin_is_valid(bad[i]))
			fail_msg("%s was taken", bad[i]);
}

/* The page reads it so: web/stream/frame.js. */
static void test_picture(void **state)
{
	const struct picture_header h = { .sharp = true,
		.seq = 0x01020304,
		.captured_at = 1.5,
		.page_width = 1280,
		.page_height = 800,
		.offset_top = 0.5f,
		.page_scale = 1 };
	static const uint8_t message[] = { 1, 1, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0xa0, 0x44, 0, 0, 0x48,
		0x44, 0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f, 'j', 'p', 'e', 'g' };
	struct picture *p = picture_new(&h, 4);

	(void)state;
	memcpy(picture_jpeg(p), "jpeg", 4);
	assert_int_equal(picture_size(p), sizeof(message));
	assert_int_equal(picture_seq(p), 0x01020304);
	assert_memory_equal(picture_message(p), message, sizeof(message));
	memset(picture_message(p) - PICTURE_HEADROOM, 0xff, PICTURE_HEADROOM);
	assert_int_equal(picture_seq(p), 0x01020304);
	assert_ptr_equal(picture_ref(p), p);
	assert_null(picture_unref(p));
	assert_int_equal(picture_size(p), sizeof(message));
	assert_null(picture_unref(p));
	assert_null(picture_unref(NULL));
}

#define WRITERS 4
#define LETTERS 100000

struct numbered {
	struct letter letter; /* first */
	int writer, n;
};

static struct mailbox box;

static void *write_letters(void *arg)
{
	int writer = *(int *)arg;

	for (int n = 0; n < LETTERS; n++) {
		struct numbered *l = malloc(sizeof(*l));
		*l = (struct numbered){ .writer = writer, .n = n };
		mailbox_put(&box, &l->letter);
	}
	return NULL;
}

static void test_mailbox(void **state)
{
	pthread_t threads[WRITERS];
	int writers[WRITERS], next[WRITERS] = { 0 }, taken = 0;
	struct letter a, b;

	(void)state;
	assert_null(mailbox_take(&box));
	assert_true(mailbox_put(&box, &a));
	assert_false(mailbox_put(&box, &b)); /* there was one already: nobody needs waking */
	assert_ptr_equal(mailbox_take(&box), &a);
	assert_ptr_equal(a.next, &b);
	assert_null(b.next);
	assert_true(mailbox_put(&box, &a));
	assert_ptr_equal(mailbox_take(&box), &a);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_letters, &writers[i]), 0);
	}
	while (taken < WRITERS * LETTERS)
		for (struct letter *l = mailbox_take(&box), *then; l; l = then, taken++) {
			struct numbered *m = (struct numbered *)l;
			then = l->next;
			assert_int_equal(m->n, next[m->writer]++); /* each one's in order, none lost */
			free(m);
		}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(mailbox_take(&box));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_origin_is_valid),
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
