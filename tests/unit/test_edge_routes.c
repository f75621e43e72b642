/*
 * The edge with its login guard and the feed of other daemons' streams, over real sockets and the real RPC engine; authd and
 * botd are servers of this test with the rows of the real ones. The client blocks, the loop runs on another thread.
 */
#include "tests/unit/loop_thread.h"
#include "tests/unit/ws_client.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "common/fiber.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/settings.h"
#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/peer.h"
#include "proto/server.h"
#include "streamd/edge/edge_routes.h"
#include "streamd/edge/feed.h"

#define ORIGIN "https://stead.test"
#define ALICE  "Cookie: __Host-stead=alice\r\n"
#define BOB    "Cookie: __Host-stead=bob\r\n"
#define FLEETING  "Cookie: __Host-stead=brief\r\n"
#define SLOW   "Cookie: __Host-stead=slow\r\n"
#define CAROL  "Cookie: __Host-stead=carol\r\n"

static char directory[64], http_path[96], authd_path[96], botd_path[96];
static struct server *authd_server, *botd_server;
static struct peer *authd, *botd;
static struct edge_routes *routes;
static struct feed *feed;

/* authd. */

static char ended_login[64];   /* told to the watch when it is woken */
static char signed_out[64];    /* a cookie that is worth nothing any more */
static struct wait *watch_wait, *check_wait, *look_wait;
static bool hold_look;         /* the next answer to login_look, until the test lets it go */
static bool watch_lost;        /* rather than told, when it is woken */
static _Atomic int watches, checks, looks, uses;

static int fake_login_check(struct call *call, const void *params, void *result)
{
	const struct login_check_params *p = params;
	struct login_check_result *r = result;
	static const char *const names[] = { "alice", "bob", "brief", "slow", "carol" };

	checks++;
	if (strcmp(p->cookie, "slow") == 0 && fiber_sleep_until(deadline_in(300)) < 0)
		return -ECANCELED;
	if (strcmp(p->cookie, "carol") == 0) { /* looked up, and the answer is held until the test lets it go */
		struct wait w = { 0 };
		check_wait = &w;
		wait_for(&w, NEVER);
		check_wait = NULL;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(p->cookie, names[i]) == 0 && strcmp(p->cookie, signed_out) != 0) {
			*r = (struct login_check_result){ .user = (int64_t)i + 7,
				.name = names[i],
				.login = arena_printf(call->arena, "login-%s", names[i]),
				.scopes = "read",
				.expires_at_ms = wall_now() + (strcmp(names[i], "brief") == 0 ? 300 : 3600000) };
			return 0;
		}
	return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
}

static int fake_login_look(struct call *call, const void *params, void *result)
{
	const struct login_look_params *p = params;
	bool ended = strncmp(p->login, "login-", 6) == 0 && strcmp(p->login + 6, signed_out) == 0;

	looks++;
	uses += p->used;
	if (hold_look) {
		struct wait w = { 0 };
		hold_look = false;
		look_wait = &w;
		wait_for(&w, NEVER);
		look_wait = NULL;
	}
	if (ended)
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	*(struct login_look_result *)result = (struct login_look_result){ .expires_at_ms = wall_now() + 3600000 };
	return 0;
}

static int fake_login_watch(struct call *call, const void *params, void *result)
{
	struct wait w = { 0 };
	int r;

	(void)params, (void)result;
	watches++;
	for (;;) {
		watch_wait = &w;
		r = wait_for(&w, NEVER);
		watch_wait = NULL;
		if (r < 0)
			return r;
		if (watch_lost) {
			watch_lost = false;
			return call_refuse(call, ERR_unavailable, NULL, "%s", "");
		}
		struct login_watch_item item = { .login = ended_login };
		r = send_login_watch(call, &item);
		if (r < 0)
			return r;
		w = (struct wait){ 0 };
	}
}

static const struct dispatch_row authd_rows[] = {
	{ &method_login_check, fake_login_check },
	{ &method_login_look, fake_login_look },
	{ &method_login_watch, fake_login_watch },
	{ 0 },
};

/* botd. */

static _Atomic int lines_sent, watchers_gone;
static int64_t asked_user;
static char asked_name[64], asked_ip[64];

static int send_line(struct call *call, int64_t n, const char *text)
{
	struct log_line line = { .n = n, .at_ms = n, .level = "info", .text = text };
	struct booking_watch_item item = { .cursor = n, .line = &line };
	int r = send_booking_watch(call, &item);

	if (r == 0)
		lines_sent++;
	return r;
}

static int send_state(struct call *call, int64_t id)
{
	struct booking_info b = { .id = id,
		.site = "desk",
		.action = "book",
		.title = "Desk",
		.inputs = json_object(),
		.state = "done",
		.outcome = "booked",
		.created_at_ms = 1 };
	struct booking_watch_item item = { .booking = &b };
	int r = send_booking_watch(call, &item);

	json_decref(b.inputs);
	return r;
}

/* 1: ten lines and the end. 2: a very long log. 3: two lines, then it waits. 4: has ended and nothing is new. */
static int fake_watch(struct call *call, const struct booking_watch_params *p)
{
	static char text[2001];
	int64_t most = p->id == 1 ? 10 : p->id == 2 ? 20000 : p->id == 3 ? 2 : 0;
	int r = 0;

	memset(text, 'x', 2000);
	if (p->id > 4)
		return call_refuse(call, ERR_not_found, "id", "There is no booking %" PRId64 ".", p->id);
	for (int64_t n = p->after + 1; r == 0 && n <= most; n++)
		r = send_line(call, n, p->id == 2 ? text : "A line.");
	if (r == 0 && p->id == 1)
		r = send_state(call, p->id);
	if (r == 0 && p->id == 3)
		r = fiber_sleep_until(NEVER);
	return r;
}

static int fake_booking_watch(struct call *call, const void *params, void *result)
{
	int r;

	(void)result;
	asked_user = call->acting.user;
	snprintf(asked_name, sizeof(asked_name), "%s", call->acting.name);
	snprintf(asked_ip, sizeof(asked_ip), "%s", call->acting.ip ? call->acting.ip : "");
	r = fake_watch(call, params);
	watchers_gone++;
	return r;
}

static const struct dispatch_row botd_rows[] = {
	{ &method_booking_watch, fake_booking_watch },
	{ 0 },
};

/* A route that answers with who asks. */

struct echo {
	struct edge *edge;
	uint64_t id;
};

static void *echo_asked(struct edge *e, void *owner, uint64_t id, const char *rest, const struct edge_request *q,
	const struct login *login)
{
	struct echo *echo = malloc(sizeof(*echo));
	char line[256];
	int n = snprintf(line, sizeof(line), "%s %s %" PRId64 " %s %s", rest, login->name, login->user, login->login,
		login->ip);

	(void)owner, (void)q;
	assert_non_null(echo);
	*echo = (struct echo){ e, id };
	edge_accept(e, id);
	edge_send_text(e, id, line, (size_t)n);
	return echo;
}

static bool echo_message(void *visitor, char *text, size_t n)
{
	struct echo *echo = visitor;

	edge_send_text(echo->edge, echo->id, text, n);
	return strcmp(text, "use") == 0;
}

static _Atomic int echo_gone;

static void echo_closed(void *visitor)
{
	free(visitor);
	echo_gone++;
}

/* All of it, on the loop. */

static struct server *serve(const char *name, const struct dispatch_row *rows, const char *path)
{
	struct server *s = server_new(name, rows, NULL);
	int fd = listen_at(directory, path);

	assert_true(fd >= 0);
	server_listen(s, fd, ROLE_STREAM, geteuid());
	return s;
}

static void begin(void)
{
	static char *origin = ORIGIN;
	struct words origins = { .items = &origin, .count = 1 };
	struct edge_config config = { .origins = &origins };
	int fd = listen_at(directory, http_path);

	authd_server = serve("authd", authd_rows, authd_path);
	botd_server = serve("botd", botd_rows, botd_path);
	authd = peer_new("streamd", "authd", authd_path);
	botd = peer_new("streamd", "botd", botd_path);
	feed = feed_new(&botd_methods, botd);
	struct edge_route rows[] = {
		{ .prefix = "/ws/echo/", .asked = echo_asked, .message = echo_message, .closed = echo_closed },
		feed_route(feed),
	};
	assert_int_equal(edge_routes_new(fd, &config, authd, rows, 2, &routes), 0);
}

static void free_all(void *arg)
{
	(void)arg;
	routes = edge_routes_free(routes);
	feed = feed_free(feed);
}

static void finish(void)
{
	struct fiber *f = NULL;

	fiber_start("free", free_all, NULL, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	peer_free(authd);
	peer_free(botd);
	authd_server = server_free(authd_server);
	botd_server = server_free(botd_server);
	fiber_drop_stacks();
}

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/stead-routes-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(http_path, sizeof(http_path), "%s/http", directory);
	snprintf(authd_path, sizeof(authd_path), "%s/authd", directory);
	snprintf(botd_path, sizeof(botd_path), "%s/botd", directory);
	alarm(60); /* what never comes is a failure, not a wait for ever */
	watches = checks = looks = uses = lines_sent = watchers_gone = echo_gone = 0;
	signed_out[0] = '\0';
	loop_thread_start(begin, finish);
	await(&watches, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop_thread_stop();
	unlink(http_path);
	unlink(authd_path);
	unlink(botd_path);
	rmdir(directory);
	return 0;
}

static struct ws dial(const char *target, const char *headers)
{
	struct ws w;

	assert_int_equal(ws_open(&w, http_path, target, ORIGIN, headers), 101);
	return w;
}

static void expect_close(const char *target, const char *headers, int code)
{
	struct ws w = dial(target, headers);

	assert_int_equal(ws_read_close(&w), code);
	ws_disconnect(&w);
}

static void test_login(void **state)
{
	struct ws w = dial("/ws/echo/here", ALICE "X-Real-IP: 192.0.2.7\r\n");

	(void)state;
	ws_send_text(&w, "early"); /* before the answer of authd may be there */
	ws_expect_text(&w, "here alice 7 login-alice 192.0.2.7");
	ws_expect_text(&w, "early");
	ws_disconnect(&w);
	await(&echo_gone, 1);
	w = dial("/ws/echo/there", BOB);
	ws_expect_text(&w, "there bob 8 login-bob ");
	ws_disconnect(&w);
	await(&echo_gone, 2);
}

static void test_no_login(void **state)
{
	(void)state;
	expect_close("/ws/echo/x", "", 4401);
	expect_close("/ws/echo/x", "Cookie: __Host-stead=mallory\r\n", 4401);
	expect_close("/ws/echo/x", "Cookie: __Host-stead=alice; __Host-stead=bob\r\n", 4401);
	expect_close("/ws/nowhere", ALICE, 4404);
	assert_int_equal(echo_gone, 0);
}

static void say_ended(void)
{
	wait_wake(watch_wait, 0);
}

static void test_login_ends(void **state)
{
	struct ws a = dial("/ws/echo/x", ALICE), other = dial("/ws/bookings/3/events", ALICE), b = dial("/ws/echo/x", BOB);
	struct ws_frame f;

	(void)state;
	ws_expect_text(&a, "x alice 7 login-alice ");
	ws_expect_text(&b, "x bob 8 login-bob ");
	assert_true(ws_next(&other, &f));
	free(f.payload);
	strcpy(ended_login, "login-alice");
	on_loop(say_ended);
	assert_int_equal(ws_read_close(&a), 4401);
	assert_int_equal(ws_read_close(&other), 4401);
	ws_send_text(&b, "still here");
	ws_expect_text(&b, "still here");
	ws_disconnect(&a);
	ws_disconnect(&b);
	ws_disconnect(&other);
	await(&watchers_gone, 1); /* and botd is rid of its reader */
}

static void let_answer_go(void)
{
	wait_wake(check_wait, 0);
}

/* It was there when it was looked up, and had ended before the answer came. */
static void test_login_ends_while_it_is_checked(void **state)
{
	int before = checks;
	struct ws w = dial("/ws/echo/x", CAROL);

	(void)state;
	await(&checks, before + 1);
	strcpy(ended_login, "login-carol");
	on_loop(say_ended);
	on_loop(let_answer_go);
	assert_int_equal(ws_read_close(&w), 4401);
	ws_disconnect(&w);
}

static void lose_watch(void)
{
	watch_lost = true;
	wait_wake(watch_wait, 0);
}

/* The same, and word of its end was lost: the answer is older than the watch that is open now. */
static void test_watch_is_lost_while_a_login_is_checked(void **state)
{
	int before = checks, watched = watches;
	struct ws w = dial("/ws/echo/x", CAROL), a;

	(void)state;
	await(&checks, before + 1);
	on_loop(lose_watch);
	await(&watches, watched + 1);
	a = dial("/ws/echo/x", ALICE);
	ws_expect_text(&a, "x alice 7 login-alice ");
	on_loop(let_answer_go);
	ws_expect_text(&w, "x carol 11 login-carol ");
	await(&looks, 1);
	strcpy(signed_out, "alice");
	watched = watches;
	on_loop(lose_watch);
	assert_int_equal(ws_read_close(&a), 4401);
	ws_send_text(&w, "still here");
	ws_expect_text(&w, "still here");
	ws_disconnect(&a);
	ws_disconnect(&w);
}

static _Atomic int browsers_gone;

static void on_browser_login_ended(void *owner)
{
	(void)owner;
	browsers_gone++;
}

static struct login_hold first_browser = { .ended = on_browser_login_ended }, second_browser = { .ended = on_browser_login_ended };

static void hold_first_browser(void)
{
	hold_look = true;
	login_guard_hold(edge_routes_guard(routes), &first_browser, "login-alice");
}

static void hold_second_browser(void)
{
	login_guard_hold(edge_routes_guard(routes), &second_browser, "login-alice");
}

static void let_look_go(void)
{
	wait_wake(look_wait, 0);
}

/* What is opened behind the word that a login has ended is not let in by an answer that is older than that. */
static void test_login_ends_while_it_is_looked_at(void **state)
{
	(void)state;
	browsers_gone = 0;
	on_loop(hold_first_browser);
	await(&looks, 1);
	strcpy(signed_out, "alice");
	strcpy(ended_login, "login-alice");
	on_loop(say_ended);
	await(&browsers_gone, 1);
	on_loop(hold_second_browser);
	on_loop(let_look_go);
	await(&browsers_gone, 2);
	assert_int_equal(looks, 2);
}

static void test_login_expires(void **state)
{
	struct ws w = dial("/ws/echo/x", FLEETING);
	int64_t began = now_ms();

	(void)state;
	ws_expect_text(&w, "x brief 9 login-brief ");
	assert_int_equal(ws_read_close(&w), 4401);
	assert_in_range(now_ms() - began, 100, 2000);
	ws_disconnect(&w);
}

static void stop_authd(void)
{
	authd_server = server_free(authd_server);
}

static void start_authd(void)
{
	authd_server = serve("authd", authd_rows, authd_path);
}

/* What ends while authd cannot say so is found when it is back; what has not ended stays open throughout. */
static void test_authd_away(void **state)
{
	struct ws a = dial("/ws/echo/x", ALICE), b = dial("/ws/echo/x", BOB);

	(void)state;
	ws_expect_text(&a, "x alice 7 login-alice ");
	ws_expect_text(&b, "x bob 8 login-bob ");
	beside_loop(stop_authd);
	expect_close("/ws/echo/x", ALICE, 4503);
	ws_send_text(&b, "still here");
	ws_expect_text(&b, "still here");
	strcpy(signed_out, "alice");
	on_loop(start_authd);
	assert_int_equal(ws_read_close(&a), 4401);
	ws_send_text(&b, "still here");
	ws_expect_text(&b, "still here");
	ws_disconnect(&a);
	ws_disconnect(&b);
}

/* What a person does while authd is away is told when it is back. */
static void test_used_while_authd_is_away(void **state)
{
	struct ws w = dial("/ws/echo/x", ALICE);

	(void)state;
	ws_expect_text(&w, "x alice 7 login-alice ");
	beside_loop(stop_authd);
	ws_send_text(&w, "use");
	ws_expect_text(&w, "use");
	on_loop(start_authd);
	await(&uses, 1);
	ws_send_text(&w, "use");
	ws_expect_text(&w, "use");
	await(&uses, 2);
	ws_disconnect(&w);
}

/* Somebody who goes while authd is asked, or before it is, is forgotten. */
static void test_gone_before_admitted(void **state)
{
	int before = checks;
	struct ws w = dial("/ws/echo/x", SLOW);

	(void)state;
	await(&checks, before + 1);
	ws_disconnect(&w);
	for (int i = 0; i < 20; i++) {
		w = dial("/ws/echo/x", SLOW);
		ws_disconnect(&w);
	}
	poll(NULL, 0, 500);
	on_loop(nothing);
	assert_int_equal(echo_gone, 0);
	w = dial("/ws/echo/x", ALICE);
	ws_expect_text(&w, "x alice 7 login-alice ");
	ws_disconnect(&w);
}

static void expect_line(struct ws *w, int64_t n)
{
	char start[128];
	struct ws_frame f;

	snprintf(start, sizeof(start),
		"{\"jsonrpc\":\"2.0\",\"method\":\"booking_watch\",\"params\":{\"cursor\":%" PRId64 ",\"line\":{\"n\":%" PRId64 ",", n, n);
	assert_true(ws_next(w, &f));
	assert_int_equal(f.opcode, WS_TEXT);
	assert_memory_equal(f.payload, start, strlen(start));
	free(f.payload);
}

static void test_booking(void **state)
{
	struct ws w = dial("/ws/bookings/1/events", ALICE "X-Real-IP: 192.0.2.7\r\n");
	struct ws_frame f;

	(void)state;
	for (int64_t n = 1; n <= 10; n++)
		expect_line(&w, n);
	assert_true(ws_next(&w, &f));
	assert_non_null(strstr((char *)f.payload, "\"method\":\"booking_watch\",\"params\":{\"booking\":{\"id\":1,"));
	assert_non_null(strstr((char *)f.payload, "\"outcome\":\"booked\""));
	free(f.payload);
	assert_int_equal(ws_read_close(&w), 4410);
	ws_disconnect(&w);
	assert_int_equal(asked_user, 7);
	assert_string_equal(asked_name, "alice");
	assert_string_equal(asked_ip, "192.0.2.7");
	w = dial("/ws/bookings/1/events?after=8", ALICE);
	expect_line(&w, 9);
	expect_line(&w, 10);
	assert_int_equal(ws_read_close(&w), 4410);
	ws_disconnect(&w);
}

static void test_no_booking(void **state)
{
	(void)state;
	expect_close("/ws/bookings/404/events", ALICE, 4404);
	expect_close("/ws/bookings//events", ALICE, 4404);
	expect_close("/ws/bookings/0/events", ALICE, 4404);
	expect_close("/ws/bookings/-1/events", ALICE, 4404);
	expect_close("/ws/bookings/1x/events", ALICE, 4404);
	expect_close("/ws/bookings/1", ALICE, 4404); /* a call, and no stream */
	expect_close("/ws/bookings/1/events/", ALICE, 4404);
	expect_close("/ws/bookings/9223372036854775808/events", ALICE, 4404);
	expect_close("/ws/bookings/1/events?x=y", ALICE, 4404);
	expect_close("/ws/bookings/1/events?after=-1", ALICE, 4404);
	expect_close("/ws/bookings/1/events", "", 4401);
}

/* A reader who does not read holds botd up: no more than its credit and what the queues hold is sent. */
static void test_slow_reader(void **state)
{
	struct ws w = dial("/ws/bookings/2/events", ALICE);
	int sent, before = -1;

	(void)state;
	await(&lines_sent, 64);
	while ((sent = lines_sent) != before) { /* until it stands still */
		before = sent;
		poll(NULL, 0, 200);
		on_loop(nothing);
	}
	print_message("sent to a reader who does not read: %d lines\n", sent);
	assert_true(sent < 1000);
	for (int64_t n = 1; n <= 20000; n++)
		expect_line(&w, n);
	assert_int_equal(ws_read_close(&w), 4410);
	ws_disconnect(&w);
}

static void stop_botd(void)
{
	botd_server = server_free(botd_server);
}

static void start_botd(void)
{
	botd_server = serve("botd", botd_rows, botd_path);
}

static void test_botd_away(void **state)
{
	struct ws w = dial("/ws/bookings/3/events", ALICE);

	(void)state;
	expect_line(&w, 1);
	expect_line(&w, 2);
	beside_loop(stop_botd);
	assert_int_equal(ws_read_close(&w), 4503);
	ws_disconnect(&w);
	expect_close("/ws/bookings/3/events?after=1", ALICE, 4503);
	on_loop(start_botd);
	w = dial("/ws/bookings/3/events?after=1", ALICE);
	expect_line(&w, 2);
	ws_disconnect(&w);
}

static void test_shutdown(void **state)
{
	struct ws w = dial("/ws/bookings/3/events", ALICE), slow = dial("/ws/echo/x", SLOW);

	(void)state;
	expect_line(&w, 1);
	expect_line(&w, 2);
	begin_on_loop(loop_stop);
	assert_int_equal(ws_read_close(&w), 1001);
	assert_int_equal(ws_read_close(&slow), 1001);
	end_on_loop();
	loop_thread_stop();
	ws_disconnect(&w);
	ws_disconnect(&slow);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		TEST(test_login),
		TEST(test_no_login),
		TEST(test_login_ends),
		TEST(test_login_ends_while_it_is_checked),
		TEST(test_watch_is_lost_while_a_login_is_checked),
		TEST(test_login_ends_while_it_is_looked_at),
		TEST(test_login_expires),
		TEST(test_authd_away),
		TEST(test_used_while_authd_is_away),
		TEST(test_gone_before_admitted),
		TEST(test_booking),
		TEST(test_no_booking),
		TEST(test_slow_reader),
		TEST(test_botd_away),
		TEST(test_shutdown),
	};

	log_open("test_edge_routes", argc > 2 ? LOG_DEBUG : LOG_ERROR);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
