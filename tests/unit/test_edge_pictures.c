/* Pictures on their way to viewers over real sockets, and viewers who read slowly, little or not at all. */
#include "tests/unit/edge_rig.h"

static uint32_t expect_picture(struct ws *w)
{
	struct ws_frame f;
	uint32_t seq;

	assert_true(ws_next(w, &f));
	assert_int_equal(f.opcode, WS_BINARY);
	assert_true(f.fin);
	assert_int_equal(f.size, PICTURE_HEADER + 100000);
	assert_int_equal(f.payload[0], 1);
	seq = f.payload[4] | (uint32_t)f.payload[5] << 8 | (uint32_t)f.payload[6] << 16;
	for (size_t i = PICTURE_HEADER; i < f.size; i++)
		assert_true(f.payload[i] == (uint8_t)seq);
	free(f.payload);
	return seq;
}

static void expect_no_frame(struct ws *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	assert_int_equal(w->have, 0);
	assert_int_equal(poll(&p, 1, 50), 0);
}

static void test_pictures(void **state)
{
	struct ws w = dial();
	uint32_t seq;

	(void)state;
	ws_send_text(&w, "pictures 1 1");
	assert_int_equal(expect_picture(&w), 1);
	ws_send_text(&w, "pictures 2 1");
	assert_int_equal(expect_picture(&w), 2);
	ws_send_text(&w, "pictures 3 50"); /* two are on their way: of these only the newest is kept */
	expect_no_frame(&w);
	ws_send_text(&w, "ack 1");
	assert_int_equal(expect_picture(&w), 52);
	expect_no_frame(&w);
	ws_send_text(&w, "ack 52");
	ws_send_text(&w, "pictures 100 1000"); /* some leave before the last is there, but never an older after a newer */
	seq = expect_picture(&w);
	while (seq < 1099) {
		char line[32];
		uint32_t next;

		snprintf(line, sizeof(line), "ack %u", seq);
		ws_send_text(&w, line);
		next = expect_picture(&w);
		assert_true(next > seq);
		seq = next;
	}
	ws_disconnect(&w);
	await(&closed, 1);
}

static void flood_slow_viewer(void)
{
	send_pictures(edge, last_id, heard * 1000, 1000, 100000);
}

/* 2 GB of pictures for somebody who reads nothing. */
static void test_slow_viewer(void **state)
{
	struct ws w = dial();
	size_t before;

	(void)state;
	await(&asked, 1);
	on_loop(flood_slow_viewer);
	before = resident();
	for (int i = 0; i < 20; i++) {
		heard++;
		on_loop(flood_slow_viewer);
	}
	print_message("resident: %zu KB before, %zu KB after\n", before / 1024, resident() / 1024);
	assert_flat(before, 4 << 20);
	ws_disconnect(&w);
	await(&closed, 1);
}

static void text_flood(void)
{
	static char text[10000];

	memset(text, 'b', sizeof(text));
	for (int i = 0; i < 100; i++)
		edge_send_text(edge, last_id, text, sizeof(text));
}

static void test_does_not_read(void **state)
{
	struct ws w = dial();

	(void)state;
	await(&asked, 1);
	on_loop(text_flood);
	on_loop(text_flood); /* 2 MB; the queue holds 300 KB, the socket some more */
	assert_int_equal(ws_read_close(&w), 1008);
	ws_disconnect(&w);
	await(&closed, 1);
	w = dial();
	await(&asked, 2);
	on_loop(text_flood);
	on_loop(text_flood);
	await(&closed, 2); /* and if it goes on not reading */
	ws_disconnect(&w);
}

/* A busy stream of pictures and input is no flood. */
static void test_busy_is_no_flood(void **state)
{
	struct ws w = dial();
	char line[64];

	(void)state;
	for (int i = 1; i <= 2000; i++) {
		snprintf(line, sizeof(line), "pictures %d 1", i);
		ws_send_text(&w, line);
		assert_int_equal(expect_picture(&w), i);
		snprintf(line, sizeof(line), "ack %d", i);
		ws_send_text(&w, line);
		ws_send_text(&w, "hello");
		ws_expect_text(&w, "hello");
	}
	ws_disconnect(&w);
}

/* Nor is a viewer who reads less than there is, so that pictures leave in pieces. */
static void test_thin_pipe_is_no_flood(void **state)
{
	struct ws w = dial();
	char piece[8192], line[64];
	uint32_t seq = 0;
	size_t all = 0;
	int64_t until = now_ms() + 4000;

	(void)state;
	while (now_ms() < until) {
		snprintf(line, sizeof(line), "pictures %u 1", ++seq);
		ws_send_text(&w, line);
		for (int i = 0; i < 10; i++) {
			ssize_t n = recv(w.fd, piece, sizeof(piece), MSG_DONTWAIT);
			all += n > 0 ? (size_t)n : 0;
			poll(NULL, 0, 1);
		}
		snprintf(line, sizeof(line), "ack %u", seq);
		ws_send_text(&w, line);
	}
	assert_true(seq > 50);
	assert_true(all > 40 * 8192u);
	assert_true(all < seq * 100000);
	assert_int_equal(closed, 0);
	ws_disconnect(&w);
}

static void test_two_hundred(void **state)
{
	static struct ws all[200];

	(void)state;
	for (int i = 0; i < 200; i++)
		all[i] = dial();
	for (int i = 0; i < 200; i++)
		ws_send_text(&all[i], "pictures 7 1");
	for (int i = 0; i < 200; i++)
		assert_int_equal(expect_picture(&all[i]), 7);
	for (int i = 0; i < 200; i++) {
		ws_send_text(&all[i], "hello");
		ws_expect_text(&all[i], "hello");
	}
	for (int i = 0; i < 200; i++)
		ws_disconnect(&all[i]);
	await(&closed, 200);
	assert_int_equal(asked, 200);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_pictures),
		TEST(test_slow_viewer),
		TEST_SMALL(test_does_not_read),
		TEST(test_busy_is_no_flood),
		TEST(test_thin_pipe_is_no_flood),
		TEST(test_two_hundred),
	};

	log_open("test_edge_pictures", argc > 2 ? LOG_DEBUG : LOG_ERROR);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

