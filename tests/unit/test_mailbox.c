/* What goes between threads: letters (mailbox.c), and the pictures that they carry (picture.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "streamd/mailbox.h"
#include "streamd/picture.h"

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
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
