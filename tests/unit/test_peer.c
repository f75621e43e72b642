/* The calling end against a server that this test plays byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "proto/botd.h"
#include "proto/frame.h"
#include "proto/json.h"
#include "proto/peer.h"
#include "proto/sessiond.h"

static int far; /* the server's end */
static struct peer *peer;
static char logged[512];

/* One call or stream on a fiber of its own. */
struct attempt {
	struct fiber *fiber;
	int64_t id, ms;
	int result;
	size_t items;
	struct refusal refusal;
	char title[64];
};

static void capture(enum log_level level, const char *line)
{
	if (level <= LOG_WARNING)
		snprintf(logged, sizeof(logged), "%s", line);
}

static void settle(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
}

static const char *next_frame(void)
{
	static char body[70000];
	uint8_t header[FRAME_HEADER];
	size_t n;

	settle();
	if (recv(far, header, sizeof(header), 0) != sizeof(header))
		return "nothing";
	n = (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
	assert_int_equal(recv(far, body, n, 0), n);
	body[n] = '\0';
	return body;
}

static void expect(const char *part)
{
	const char *got = next_frame();

	if (!strstr(got, part))
		fail_msg("expected %s, got %s", part, got);
}

static void say(const char *text)
{
	uint8_t header[FRAME_HEADER];

	frame_header(header, (uint32_t)strlen(text));
	assert_int_equal(send(far, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	assert_int_equal(send(far, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	settle();
}

static int set_up(void **state)
{
	int ends[2];

	(void)state;
	loop_init();
	logged[0] = '\0';
	log_capture(capture);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	far = ends[1];
	fcntl(far, F_SETFL, O_NONBLOCK);
	peer = peer_adopt("test", "botd", ends[0]);
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":2,\"program\":\"test\"}}");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer = peer_free(peer);
	close(far);
	settle();
	log_capture(NULL);
	loop_deinit();
	fiber_drop_stacks();
	return 0;
}

static void show(void *arg)
{
	struct attempt *a = arg;
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, a->ms == NEVER ? NEVER : deadline_in(a->ms));
	struct booking_show_params p = { .id = a->id };
	struct booking_show_result r;

	a->result = call_booking_show(c, peer, &p, &r);
	a->refusal = c->refusal;
	if (a->result == 0)
		snprintf(a->title, sizeof(a->title), "%s", r.booking->title);
}

/* What changes something. */
static void withdraw(void *arg)
{
	struct attempt *a = arg;
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(a->ms));
	struct booking_cancel_params p = { .id = a->id };
	struct booking_cancel_result r;

	a->result = call_booking_cancel(c, peer, &p, &r);
	a->refusal = c->refusal;
}

static void watch(void *arg)
{
	struct attempt *a = arg;
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(5000));
	struct booking_watch_params p = { .id = a->id };
	struct booking_watch_item item;
	struct peer_stream *s;

	a->result = open_booking_watch(c, peer, &p, &s);
	if (a->result < 0)
		return;
	while ((a->result = next_booking_watch(s, &item, c->deadline)) == 0) {
		a->items++;
		if (item.line && strcmp(item.line->text, "wait") == 0)
			fiber_sleep_until(NEVER);
	}
	a->refusal = c->refusal;
	peer_stream_close(s);
}

static void begin(struct attempt *a, void (*fn)(void *), int64_t id, int64_t ms)
{
	*a = (struct attempt){ .id = id, .ms = ms, .result = 1 };
	fiber_start("attempt", fn, a, &a->fiber);
	settle();
}

static void finish(struct attempt *a)
{
	while (!fiber_ended(a->fiber))
		loop_turn();
	settle();
	fiber_join(&a->fiber);
}

#define BOOKING(title) \
	"{\"booking\":{\"id\":1,\"site\":\"desk\",\"action\":\"book\",\"title\":\"" title "\",\"inputs\":{\"a\":\"b\"},"  \
	"\"state\":\"queued\",\"attempts\":0,\"created_at_ms\":1}}"

static void test_answers_out_of_order(void **state)
{
	struct attempt a, b;

	(void)state;
	begin(&a, show, 5, 5000);
	expect("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"booking_show\",\"ms\":");
	begin(&b, show, 6, NEVER);
	expect("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"booking_show\",\"params\":{\"id\":6}}");
	say("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":" BOOKING("second") "}");
	finish(&b);
	say("{\"result\":" BOOKING("f\\u00efrst") ",\"id\":2,\"jsonrpc\":\"2.0\"}");
	finish(&a);
	assert_int_equal(a.result, 0);
	assert_string_equal(a.title, "f\xc3\xafrst");
	assert_string_equal(b.title, "second");
}

static void test_refusal(void **state)
{
	struct attempt a;

	(void)state;
	begin(&a, show, 5, 5000);
	next_frame();
	say("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":4,\"message\":\"No such thing.\",\"data\":{\"name\":\"not_found\",\"field\":\"id\",\"new\":[]}}}");
	finish(&a);
	assert_int_equal(a.result, REFUSED);
	assert_int_equal(a.refusal.code, ERR_not_found);
	assert_string_equal(a.refusal.field, "id");
	assert_string_equal(a.refusal.message, "No such thing.");
	begin(&a, show, 5, 5000);
	next_frame();
	say("{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":99,\"message\":\"New.\",\"data\":{\"name\":\"of_a_newer_version\"}}}");
	finish(&a);
	assert_int_equal(a.refusal.code, ERR_internal);
}

static void test_late_answer(void **state)
{
	struct attempt a;

	(void)state;
	begin(&a, show, 5, 30);
	next_frame();
	finish(&a);
	assert_int_equal(a.result, REFUSED);
	assert_int_equal(a.refusal.code, ERR_timed_out);
	expect("{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":2}}");
	say("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":" BOOKING("late") "}");
	say("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":4,\"message\":\"late\",\"data\":{\"name\":\"not_found\"}}}");
	assert_string_equal(logged, ""); /* nobody asks for it any more, and it is no refusal of the connection */
	begin(&a, show, 5, 5000);
	next_frame();
	say("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":" BOOKING("in time") "}");
	finish(&a);
	assert_int_equal(a.result, 0);
}

static void test_deadline_gone(void **state)
{
	struct attempt a;

	(void)state;
	begin(&a, show, 5, 0);
	expect("\"ms\":1,"); /* not 0, which would mean that nothing was said */
	finish(&a);
	assert_int_equal(a.refusal.code, ERR_timed_out);
}

static void test_cancelled(void **state)
{
	struct attempt a;

	(void)state;
	begin(&a, show, 5, 5000);
	next_frame();
	fiber_cancel(a.fiber);
	finish(&a);
	assert_int_equal(a.result, -ECANCELED);
	expect("\"method\":\"cancel\"");
}

/* The connection ends under a call and a stream. */
static void lose_under(struct attempt *call, struct attempt *stream)
{
	begin(call, show, 5, 5000);
	begin(stream, watch, 1, 5000);
	close(far);
	far = -1;
	finish(call);
	finish(stream);
}

#define WELCOME "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":2,\"program\":\"botd\"}}"

static void test_server_dies(void **state)
{
	struct attempt a, w;

	(void)state;
	say(WELCOME);
	lose_under(&a, &w);
	assert_int_equal(a.result, REFUSED);
	assert_int_equal(a.refusal.code, ERR_unavailable);
	assert_string_equal(a.refusal.message, "A part of Stead stopped while it worked on this; try again in a moment.");
	assert_non_null(strstr(a.refusal.detail, "botd stopped while it worked on this"));
	assert_int_equal(w.result, REFUSED);
	assert_int_equal(w.refusal.code, ERR_unavailable);
	begin(&a, show, 5, 5000); /* adopted, so there is no way back */
	finish(&a);
	assert_null(strstr(a.refusal.message, "botd")); /* a person has never heard of it */
	assert_non_null(strstr(a.refusal.message, "bookings are safe"));
	assert_non_null(strstr(a.refusal.detail, "systemctl status stead-botd"));
	assert_ptr_equal(refusal_cause(&a.refusal), a.refusal.detail);
}

/* The request was sent, so nobody may say that nothing was done. */
static void test_server_dies_while_it_changes(void **state)
{
	struct attempt a;

	(void)state;
	say(WELCOME);
	begin(&a, withdraw, 5, 5000);
	close(far);
	far = -1;
	finish(&a);
	assert_int_equal(a.result, REFUSED);
	assert_int_equal(a.refusal.code, ERR_maybe_done);
	assert_non_null(strstr(a.refusal.message, "it may have been done; look before you repeat it"));
}

/* As whoever is not whom the socket is for. */
static void test_closed_unheard(void **state)
{
	struct attempt a, w;

	(void)state;
	lose_under(&a, &w);
	assert_int_equal(a.refusal.code, ERR_unavailable);
	assert_non_null(strstr(a.refusal.message, "Nothing was done; try again"));
	assert_non_null(strstr(a.refusal.detail, "botd ended the connection before it heard this."));
	assert_string_equal(w.refusal.message, a.refusal.message);
}

static void test_wrong_params_are_not_sent(void **state)
{
	struct attempt a;

	(void)state;
	begin(&a, show, 0, 5000);
	finish(&a);
	assert_int_equal(a.result, REFUSED);
	assert_int_equal(a.refusal.code, ERR_invalid);
	assert_string_equal(a.refusal.field, "id");
	assert_string_equal(next_frame(), "nothing");
}

static void test_answers_that_break_their_row(void **state)
{
	static const char *const results[] = { "{}", "{\"booking\":{}}", "{\"booking\":{\"id\":1,\"id\":1}}", "{\"other\":1}" };
	struct attempt a;
	char text[200];

	(void)state;
	for (int i = 0; i < 4; i++) {
		begin(&a, show, 5, 5000);
		next_frame();
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":%s}", i + 2, results[i]);
		say(text);
		finish(&a);
		assert_int_equal(a.result, -EBADMSG);
		assert_non_null(strstr(logged, "breaks its row"));
	}
}

static void test_malformed(void **state)
{
	struct attempt a;

	(void)state;
	begin(&a, show, 5, 5000);
	next_frame();
	say("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"booking\":nul}}");
	finish(&a);
	assert_int_equal(a.refusal.code, ERR_unavailable);
	assert_string_equal(next_frame(), "nothing");
}

static void test_refused_hello(void **state)
{
	struct attempt a;

	(void)state;
	begin(&a, show, 5, 5000);
	say("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"Another\\nversion.\",\"data\":{\"name\":\"invalid\"}}}");
	assert_string_equal(logged, "botd refused the connection: Another version.");
	close(far);
	far = -1;
	finish(&a);
	assert_int_equal(a.refusal.code, ERR_unavailable);
	assert_non_null(strstr(a.refusal.detail, "botd refused the connection: Another"));
}

#define ITEM(text) \
	"{\"jsonrpc\":\"2.0\",\"method\":\"item\",\"params\":{\"id\":2,\"item\":{\"line\":{\"n\":1,\"at_ms\":1,\"level\":\"info\",\"text\":\"" text "\"}}}}"

static void test_stream(void **state)
{
	struct attempt w;

	(void)state;
	begin(&w, watch, 1, 5000);
	expect("\"method\":\"booking_watch\"");
	for (int i = 0; i < 31; i++)
		say(ITEM("x"));
	assert_string_equal(next_frame(), "nothing");
	say(ITEM("x"));
	expect("{\"jsonrpc\":\"2.0\",\"method\":\"credit\",\"params\":{\"id\":2,\"n\":32}}");
	say("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
	say(ITEM("after the end"));
	finish(&w);
	assert_int_equal(w.result, -ENODATA);
	assert_int_equal(w.items, 32);
}

static void test_stream_refused(void **state)
{
	struct attempt w;

	(void)state;
	begin(&w, watch, 1, 5000);
	say("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":4,\"message\":\"No.\",\"data\":{\"name\":\"not_found\"}}}");
	finish(&w);
	assert_int_equal(w.result, REFUSED);
	assert_int_equal(w.refusal.code, ERR_not_found);
}

static void test_stream_breaks_its_row(void **state)
{
	struct attempt w;

	(void)state;
	begin(&w, watch, 1, 5000);
	say("{\"jsonrpc\":\"2.0\",\"method\":\"item\",\"params\":{\"id\":2}}");
	finish(&w);
	assert_int_equal(w.result, -EBADMSG);
}

/* A flood without credit fills no memory: the sender is given up. */
static void test_items_without_credit(void **state)
{
	struct attempt w;
	int sent = 0;

	(void)state;
	begin(&w, watch, 1, 5000);
	next_frame();
	say(ITEM("wait"));
	while (sent < 200) {
		uint8_t header[FRAME_HEADER];
		frame_header(header, sizeof(ITEM("x")) - 1);
		if (send(far, header, sizeof(header), MSG_NOSIGNAL) < 0)
			break;
		send(far, ITEM("x"), sizeof(ITEM("x")) - 1, MSG_NOSIGNAL);
		settle();
		sent++;
	}
	assert_in_range(sent, 60, 70);
	fiber_cancel(w.fiber);
	finish(&w);
	assert_true(w.items <= 65);
}

/* Whoever waits when the peer is freed is told so, and nothing of the peer is looked at afterwards. */
static void test_freed_while_pending(void **state)
{
	struct attempt a, w;

	(void)state;
	say(WELCOME);
	begin(&a, show, 5, 5000);
	begin(&w, watch, 1, 5000);
	peer = peer_free(peer);
	finish(&a);
	finish(&w);
	assert_int_equal(a.refusal.code, ERR_unavailable);
	assert_non_null(strstr(a.refusal.detail, "botd stopped"));
	assert_int_equal(w.refusal.code, ERR_unavailable);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers_out_of_order),
		TEST(test_refusal),
		TEST(test_late_answer),
		TEST(test_deadline_gone),
		TEST(test_cancelled),
		TEST(test_server_dies),
		TEST(test_server_dies_while_it_changes),
		TEST(test_closed_unheard),
		TEST(test_wrong_params_are_not_sent),
		TEST(test_answers_that_break_their_row),
		TEST(test_malformed),
		TEST(test_refused_hello),
		TEST(test_stream),
		TEST(test_stream_refused),
		TEST(test_stream_breaks_its_row),
		TEST(test_items_without_credit),
		TEST(test_freed_while_pending),
	};

	json_cleanse();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
