/*
 * What tests of the edge share: it serves a small application, on a socket and on a thread of its own, that does what it
 * is told in messages; the test is the client, which blocks. Also run under ThreadSanitizer, so there are no fibers here.
 */
#pragma once

#include "tests/unit/loop_thread.h"
#include "tests/unit/ws_client.h"

#include "common/listen.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/settings.h"
#include "streamd/browser/picture.h"
#include "streamd/edge/edge.h"

#define ORIGIN       "https://stead.test"
#define PLAIN_ORIGIN "http://127.0.0.1:8080"
#define COOKIE "Cookie: a=b; __Host-stead=secret; stead=other\r\n"

static char directory[64], path[96];
static struct edge *edge;

static struct edge_config config;
static int edge_error;

/* What the application knows; touched on the loop alone, but for those that are atomic. */
static uint64_t last_id, decided_later;
static _Atomic int asked, closed, heard, drained;
static char seen[1024]; /* the last request */

static inline void tell(struct edge *e, uint64_t id, const char *format, long a)
{
	char line[128];
	int n = snprintf(line, sizeof(line), format, a);

	edge_send_text(e, id, line, (size_t)n);
}

static inline void send_pictures(struct edge *e, uint64_t id, long first, long count, size_t size)
{
	for (long seq = first; seq < first + count; seq++) {
		struct picture_header h = { .seq = (uint32_t)seq, .captured_at = 1.5, .page_width = 1280 };
		struct picture *p = picture_new(&h, size);
		memset(picture_jpeg(p), (int)seq, size);
		edge_send_picture(e, id, p);
		picture_unref(p);
	}
}

static inline void *on_asked(struct edge *e, void *owner, uint64_t id, const struct edge_request *q)
{
	assert_ptr_equal(owner, &edge);
	last_id = id;
	snprintf(seen, sizeof(seen), "%s?%s cookie=%s ip=%s", q->path, q->query, q->cookie, q->ip);
	asked++;
	if (strcmp(q->path, "/ws/later") == 0)
		decided_later = id;
	else if (strcmp(q->path, "/ws/refuse") == 0)
		edge_refuse(e, id, EDGE_CLOSE_NOT_SIGNED_IN, "Sign in.");
	else
		edge_accept(e, id);
	return (void *)(uintptr_t)id;
}

static inline void on_message(void *visitor, char *text, size_t n)
{
	uint64_t id = (uintptr_t)visitor;
	struct edge *e = edge;
	long a = 0, b = 0;

	assert_int_equal(text[n], '\0');
	heard++;
	if (sscanf(text, "pictures %ld %ld", &a, &b) == 2)
		send_pictures(e, id, a, b, 100000);
	else if (sscanf(text, "ack %ld", &a) == 1)
		edge_picture_acked(e, id, (uint32_t)a);
	else if (sscanf(text, "close %ld", &a) == 1) {
		tell(e, id, "last words", 0);
		edge_close(e, id, (int)a, "As you wish.");
		tell(e, id, "never sent", 0);
	} else if (sscanf(text, "length %ld", &a) == 1)
		tell(e, id, "%ld", (long)n);
	else
		edge_send_text(e, id, text, n);
}

static inline void on_drained(void *visitor)
{
	assert_int_equal(edge_queued(edge, (uintptr_t)visitor), 0);
	drained++;
}

static inline void on_closed(void *visitor)
{
	(void)visitor;
	closed++;
}

static const struct edge_events events = { .asked = on_asked,
	.message = on_message,
	.drained = on_drained,
	.closed = on_closed };

static inline void begin(void)
{
	static char *both[] = { ORIGIN, PLAIN_ORIGIN };
	static struct words origins = { .items = both, .count = 2 };
	int fd = listen_at(directory, path);

	assert_true(fd >= 0);
	config.origins = &origins;
	edge_error = edge_new(fd, &config, &events, &edge, &edge);
}

static inline void finish(void)
{
	edge = edge_free(edge);
}

static inline int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/stead-edge-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/http", directory);
	asked = closed = heard = drained = 0;
	seen[0] = '\0';
	loop_thread_start(begin, finish);
	return edge_error;
}

static inline int set_up_small(void **state)
{
	config = (struct edge_config){ .connections = 8, .queue = 300000, .ping_s = 1, .hang_up_s = 3, .answer_s = 2,
		.head_s = 1, .waiting = 6 };
	return set_up(state);
}

static inline int tear_down(void **state)
{
	(void)state;
	loop_thread_stop();
	config = (struct edge_config){ 0 };
	unlink(path);
	rmdir(directory);
	return 0;
}

static inline struct ws dial(void)
{
	struct ws w;

	assert_int_equal(ws_open(&w, path, "/ws/echo", ORIGIN, COOKIE), 101);
	return w;
}

static inline size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all, here = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &all, &here), 2);
	fclose(f);
	return here * 4096;
}

/* A sanitizer keeps what has been freed. */
static inline void assert_flat(size_t before, size_t more)
{
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(resident() < before + more);
#endif
	(void)before, (void)more;
}

#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define TEST_SMALL(fn) cmocka_unit_test_setup_teardown(fn, set_up_small, tear_down)
