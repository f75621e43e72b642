/* The RPC engine against itself: a server and a peer in one process, over a real socket, with the rows of botd. */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/listen.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "proto/botd.h"
#include "proto/conn.h"
#include "proto/frame.h"
#include "proto/peer.h"
#include "proto/server.h"
#include "proto/serving.h"
#include "proto/sessiond.h"

#define PATIENCE_MS 60000 /* for what must come, however slow the machine; under valgrind beside others seconds go by */
#define PATIENCE    deadline_in(PATIENCE_MS)

static char directory[64], path[96];
static struct server *server;
static struct peer *peer;
static bool handler_cancelled, gate;
static size_t running, most_running;
static int64_t patience_ms; /* of the last who asked for a booking */

static int show(struct call *call, const void *params, void *result)
{
	const struct booking_show_params *p = params;
	struct booking_show_result *r = result;

	patience_ms = call->deadline - loop_now();
	if (p->id == 404)
		return call_refuse(call, ERR_not_found, "id", "There is no booking %lld.", (long long)p->id);
	if (p->id == 500)
		return -EIO;
	if (p->id == 997) { /* ends when the gate opens, or by itself when its caller's patience does */
		running++;
		most_running = running > most_running ? running : most_running;
		while (!gate && loop_now() < call->deadline)
			fiber_sleep_until(deadline_in(1));
		running--;
		return call_refuse(call, ERR_ended, NULL, "It is over.");
	}
	if (p->id == 999) {
		int w = fiber_sleep_until(NEVER);
		handler_cancelled = w == -ECANCELED;
		return w;
	}
	r->booking = arena_alloc(call->arena, sizeof(*r->booking));
	*r->booking = (struct booking_info){ .id = p->id,
		.site = "desk",
		.action = "book",
		.title = call->acting.name,
		.inputs = json_object(),
		.state = "queued",
		.created_at_ms = 1 };
	call_keep(call, r->booking->inputs);
	return 0;
}

static int watch(struct call *call, const void *params, void *result)
{
	(void)params, (void)result;
	for (int64_t n = 1; n <= 500; n++) {
		struct log_line line = { .n = n, .at_ms = n, .level = "info", .text = "line" };
		struct booking_watch_item item = { .line = &line };
		int r = send_booking_watch(call, &item);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fetch(struct call *call, const void *params, void *result)
{
	struct session_fetch_result *r = result;

	(void)call, (void)params;
	r->account = "alice";
	r->version = 1;
	r->health = "working";
	r->which = "proved";
	return memfd_new("state", "captured", 8, &r->state);
}

static int store(struct call *call, const void *params, void *result)
{
	const struct session_store_params *p = params;
	struct session_store_result *r = result;
	struct memfd_view view;

	(void)call;
	assert_int_equal(memfd_map(p->state, 1 << 20, &view), 0);
	r->id = 1;
	r->version = (int64_t)view.size;
	memfd_unmap(&view);
	return 0;
}

/* More than a frame holds, though each line keeps to its row. */
static int long_log(struct call *call, const void *params, void *result)
{
	struct booking_log_result *r = result;
	char *text = arena_alloc(call->arena, 2001);

	(void)params;
	memset(text, 'x', 2000);
	r->lines_count = 1000;
	r->lines = arena_array(call->arena, r->lines_count, sizeof(*r->lines));
	for (size_t i = 0; i < r->lines_count; i++)
		r->lines[i] = (struct log_line){ .n = (int64_t)i + 1, .level = "info", .text = text };
	return 0;
}

static const struct dispatch_row rows[] = {
	{ &method_booking_log, long_log },
	{ &method_booking_show, show },
	{ &method_booking_watch, watch },
	{ &method_session_fetch, fetch },
	{ &method_session_store, store },
	{ 0 },
};

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/stead-test-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/bot", directory);
	loop_init();
	server = server_new("botd", rows, NULL);
	int fd = listen_at(directory, path);
	assert_true(fd >= 0);
	server_listen(server, fd, ROLE_STREAM | ROLE_BOT | ROLE_FRONT, geteuid()); /* one for all */
	peer = peer_new("test", "botd", path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer = peer_free(peer);
	server = server_free(server);
	loop_deinit();
	fiber_drop_stacks();
	unlink(path);
	rmdir(directory);
	return 0;
}

static void run(void (*fn)(void *), void *arg)
{
	struct fiber *f = NULL;

	fiber_start("test", fn, arg, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
}

static const struct acting alice = { .user = 7, .name = "alice", .scopes = SCOPES_PERSON };

static void show_ok(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, PATIENCE);
	struct booking_show_params p = { .id = 5 };
	struct booking_show_result r;

	(void)arg;
	assert_int_equal(call_booking_show(c, peer, &p, &r), 0);
	assert_int_equal(r.booking->id, 5);
	assert_string_equal(r.booking->title, "alice");
}

static void test_round_trip(void **state)
{
	(void)state;
	run(show_ok, NULL);
	run(show_ok, NULL);
}

static void expect_refusal(int64_t id, int64_t user, int64_t ms, enum error_code code, const char *field)
{
	struct acting who = { .user = user, .name = "alice", .scopes = SCOPES_PERSON };
	CLEANUP(call_freep) struct call *c = call_new(NULL, &who, deadline_in(ms));
	struct booking_show_params p = { .id = id };
	struct booking_show_result r;

	assert_int_equal(call_booking_show(c, peer, &p, &r), REFUSED);
	assert_string_equal(error_row(c->refusal.code)->name, error_row(code)->name);
	assert_string_equal(c->refusal.field, field);
	assert_true(strlen(c->refusal.message) > 10);
}

static void refusals(void *arg)
{
	(void)arg;
	expect_refusal(404, 7, PATIENCE_MS, ERR_not_found, "id");
	expect_refusal(500, 7, PATIENCE_MS, ERR_internal, "");
	expect_refusal(0, 7, PATIENCE_MS, ERR_invalid, "id");
	expect_refusal(5, 0, PATIENCE_MS, ERR_not_signed_in, "");
	expect_refusal(999, 7, 50, ERR_timed_out, "");
	while (!handler_cancelled) /* our giving up reaches the handler */
		assert_int_equal(fiber_sleep_until(deadline_in(1)), 0);
}

static void test_refusals(void **state)
{
	(void)state;
	handler_cancelled = false;
	run(refusals, NULL);
}

static void memfds(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, PATIENCE);
	struct session_fetch_params p = { .site = "desk" };
	struct session_fetch_result r;
	struct memfd_view view;

	(void)arg;
	assert_int_equal(call_session_fetch(c, peer, &p, &r), 0);
	assert_int_equal(memfd_map(r.state, 100, &view), 0);
	assert_memory_equal(view.data, "captured", 8);
	memfd_unmap(&view);

	struct session_store_params sp = { .save = "x", .site = "desk", .account = "a", .state = r.state };
	struct session_store_result sr;
	assert_int_equal(call_session_store(c, peer, &sp, &sr), 0);
	assert_int_equal(sr.version, 8);
}

static void test_memfds(void **state)
{
	(void)state;
	run(memfds, NULL);
}

static void items(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, PATIENCE);
	struct booking_watch_params p = { .id = 1 };
	struct booking_watch_item item;
	struct peer_stream *s;
	int64_t n = 0;
	int r;

	(void)arg;
	assert_int_equal(open_booking_watch(c, peer, &p, &s), 0);
	while ((r = next_booking_watch(s, &item, c->deadline)) == 0)
		assert_int_equal(item.line->n, ++n);
	assert_int_equal(r, -ENODATA);
	assert_int_equal(n, 500);
	s = peer_stream_close(s);
	assert_int_equal(open_booking_watch(c, peer, &p, &s), 0); /* left early, with items queued */
	assert_int_equal(next_booking_watch(s, &item, c->deadline), 0);
	s = peer_stream_close(s);
}

static void test_stream(void **state)
{
	(void)state;
	run(items, NULL);
}

static void unreachable(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, PATIENCE);
	struct booking_show_params p = { .id = 5 };
	struct booking_show_result r;
	struct peer *nobody = peer_new("test", "sessiond", "/nonexistent/socket");

	(void)arg;
	assert_int_equal(call_booking_show(c, nobody, &p, &r), REFUSED);
	assert_int_equal(c->refusal.code, ERR_unavailable);
	assert_non_null(strstr(c->refusal.detail, "sessiond is not running"));
	peer_free(nobody);
}

static void test_unreachable(void **state)
{
	(void)state;
	run(unreachable, NULL);
}

/* From here on the test speaks for itself, byte by byte, as a caller that keeps to nothing would. */

static int raw_open(enum role role)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	server_adopt(server, ends[0], role, geteuid(), NULL, NULL);
	return ends[1];
}

static void raw_send(int fd, const char *text)
{
	uint8_t header[FRAME_HEADER];

	frame_header(header, (uint32_t)strlen(text));
	assert_int_equal(send(fd, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Without EVLOOP_ONCE it would not come back while fibers that sleep for a millisecond keep each other awake. */
static void settle(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(loop_base(), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* The next n bytes, turning the loop until they are there; fewer only at the end. */
static size_t raw_bytes(int fd, char *to, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = recv(fd, to + got, n - got, 0);
		if (r == 0)
			break;
		if (r > 0)
			got += (size_t)r;
		else
			event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	}
	return got;
}

static const char *raw_frame(int fd)
{
	static char body[70000];
	uint8_t header[FRAME_HEADER];
	size_t n;

	if (raw_bytes(fd, (char *)header, sizeof(header)) == 0)
		return NULL;
	n = (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
	assert_true(n < sizeof(body));
	assert_int_equal(raw_bytes(fd, body, n), n);
	body[n] = '\0';
	return body;
}

static void raw_expect(int fd, const char *part)
{
	const char *got = raw_frame(fd);

	if (!got || !strstr(got, part))
		fail_msg("expected %s, got %s", part, got ? got : "the end");
}

static void raw_expect_end(int fd)
{
	const char *got = raw_frame(fd);

	if (got)
		fail_msg("expected the end, got %s", got);
	close(fd);
}

/* Nothing comes, however often the loop turns. */
static void raw_expect_nothing(int fd)
{
	char byte;

	settle();
	assert_int_equal(recv(fd, &byte, 1, MSG_PEEK), -1);
}

static int raw_greeted(enum role role)
{
	int fd = raw_open(role);

	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":2,\"program\":\"test\"}}");
	raw_expect(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":2,\"program\":\"botd\"}}");
	return fd;
}

#define SHOW(id, more, booking) \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"booking_show\"," more "\"params\":{\"id\":" #booking "}}"
#define ALICE "\"for\":{\"user\":7,\"name\":\"alice\",\"scopes\":\"read act\"},"

static void test_hello_first(void **state)
{
	int fd = raw_open(ROLE_FRONT);

	(void)state;
	raw_send(fd, SHOW(3, ALICE, 5));
	raw_expect(fd, "A connection begins with hello.");
	raw_expect_end(fd);
	fd = raw_open(ROLE_FRONT);
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"hello\"}"); /* a notification is not answered, but it is no hello */
	raw_expect_end(fd);
}

static int64_t patience_of(int fd, const char *request)
{
	patience_ms = -1;
	raw_send(fd, request);
	raw_expect(fd, "\"title\":\"alice\"");
	return patience_ms;
}

/* What a caller says is honoured, up to ten minutes. */
static void test_patience(void **state)
{
	int fd = raw_greeted(ROLE_FRONT);

	(void)state;
	assert_in_range(patience_of(fd, SHOW(2, ALICE, 5)), 29000, 30000);
	assert_in_range(patience_of(fd, SHOW(3, ALICE "\"ms\":5000,", 5)), 4000, 5000);
	assert_in_range(patience_of(fd, SHOW(4, ALICE "\"ms\":600000,", 5)), 599000, 600000);
	assert_in_range(patience_of(fd, SHOW(5, ALICE "\"ms\":86400000,", 5)), 599000, 600000);
	close(fd);
}

static void test_wrong_version(void **state)
{
	int fd = raw_open(ROLE_FRONT);

	(void)state;
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":1}}");
	raw_expect(fd, "botd speaks protocol version 2 and the caller version 1; install the same version");
	raw_expect_end(fd);
}

/* The answer cannot be sent any more: what that frees must not be looked at again. */
static void test_wrong_hello_and_gone(void **state)
{
	static const char *const texts[] = { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":1}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":2}}", SHOW(3, ALICE, 5), "{",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":\"1\"}}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int fd = raw_open(ROLE_FRONT);
		raw_send(fd, texts[i]);
		close(fd);
		settle();
	}
	int fd = raw_greeted(ROLE_FRONT);
	raw_send(fd, SHOW(2, "", 5));
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"booking_show\",\"params\":{\"id\":5,\"id\":5}}");
	close(fd);
	settle();
	assert_int_equal(server->calls, 0);
}

static void test_unknown_and_wrong_role(void **state)
{
	int fd = raw_greeted(ROLE_FRONT), viewer = raw_greeted(ROLE_VIEWER);

	(void)state;
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"nothing\"}");
	raw_expect(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,\"message\":\"There is no such method here");
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}");
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":77}}");
	raw_expect_nothing(fd);
	raw_send(viewer, SHOW(2, ALICE, 5));
	raw_expect(viewer, "-32601");
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"session_fetch\",\"params\":{\"site\":\"x\"}," ALICE "\"ms\":5}");
	raw_expect(fd, "-32601"); /* there is one, for bots */
	close(fd);
	close(viewer);
}

static void test_scopes(void **state)
{
	int fd = raw_greeted(ROLE_FRONT), control = raw_greeted(ROLE_CONTROL);
	struct acting bob = { .user = 7, .scopes = SCOPES_PERSON }, root = { .user = 8, .scopes = SCOPES_ADMIN };
	struct method admin = { .scope = SCOPE_ADMIN_READ }, use = { .scope = SCOPE_SESSION_USE };

	(void)state;
	raw_send(fd, SHOW(2, "", 5));
	raw_expect(fd, "\"name\":\"not_signed_in\"");
	raw_send(control, SHOW(2, "", 404));
	raw_expect(control, "There is no booking 404."); /* the handler was reached, for nobody */
	raw_send(control, SHOW(3, ALICE, 404));
	raw_expect(control, "\"field\":\"for\"");
	CLEANUP(call_freep) struct call *a = call_new(NULL, &bob, NEVER), *r = call_new(NULL, &root, NEVER);
	a->role = r->role = ROLE_FRONT;
	assert_int_equal(call_check_scope(a, &admin), REFUSED);
	assert_int_equal(a->refusal.code, ERR_forbidden);
	assert_int_equal(call_check_scope(r, &admin), 0);
	assert_int_equal(call_check_scope(a, &use), 0);
	a->acting.scopes = SCOPE_READ | SCOPE_ACT; /* as a token's */
	assert_int_equal(call_check_scope(a, &use), REFUSED);
	close(fd);
	close(control);
}

static void test_malformed(void **state)
{
	static const char *const texts[] = { "{", "[]", "{}", "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"x\",\"x\":1}",
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"booking_show\"," ALICE "\"params\":{\"id\":1,\"id\":1}}",
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"booking_show\"," ALICE ALICE "\"params\":{}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"credit\",\"params\":{\"id\":1,\"n\":-1}}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int fd = raw_greeted(ROLE_FRONT);
		raw_send(fd, texts[i]);
		if (i != 6)
			raw_expect(fd, "\"name\":\"malformed\"");
		else
			raw_expect(fd, "\"id\":null");
		raw_expect_end(fd);
	}
	int fd = raw_greeted(ROLE_FRONT);
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
	raw_expect_end(fd);
	assert_int_equal(server->calls, 0);
}

/* A peer's long name is cut for the answer, in the middle of a character. */
static void test_unknown_parameter_of_wide_characters(void **state)
{
	char text[600] = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"booking_show\"," ALICE "\"params\":{\"a";
	int fd = raw_greeted(ROLE_FRONT);

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(text, "\xe2\x82\xac");
	strcat(text, "\":1}}");
	raw_send(fd, text);
	raw_expect(fd, "There is no parameter");
	close(fd);
}

static void test_calls_in_flight_are_capped(void **state)
{
	int fd = raw_greeted(ROLE_FRONT), over = 0;

	(void)state;
	running = most_running = 0;
	gate = false;
	for (int i = 0; i < 100; i++)
		raw_send(fd, SHOW(9, ALICE, 997));
	settle();
	assert_int_equal(server->calls, 64);
	gate = true;
	for (; over < 100; over++)
		raw_expect(fd, "It is over.");
	assert_int_equal(most_running, 64);
	assert_int_equal(server->calls, 0);
	close(fd);
}

/* While so many are under way nothing is read, but a caller that is gone is noticed. */
static void test_gone_while_capped(void **state)
{
	int fd = raw_greeted(ROLE_FRONT);

	(void)state;
	for (int i = 0; i < 80; i++)
		raw_send(fd, SHOW(9, ALICE, 999));
	settle();
	assert_int_equal(server->calls, 64);
	close(fd);
	settle();
	assert_int_equal(server->calls, 0);
}

static void test_cancel(void **state)
{
	int fd = raw_greeted(ROLE_FRONT);

	(void)state;
	handler_cancelled = false;
	raw_send(fd, SHOW(9, ALICE, 999));
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":9}}");
	raw_expect_nothing(fd);
	assert_true(handler_cancelled);
	raw_send(fd, SHOW(10, ALICE, 5));
	raw_expect(fd, "\"id\":10,\"result\"");
	close(fd);
}

#define WATCH(credit) \
	"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"booking_watch\"," ALICE "\"credit\":" #credit ",\"params\":{\"id\":1}}"

static void test_credit(void **state)
{
	int fd = raw_greeted(ROLE_STREAM);

	(void)state;
	raw_send(fd, WATCH(2));
	raw_expect(fd, "\"item\":{\"line\":{\"n\":1,");
	raw_expect(fd, "\"n\":2,");
	raw_expect_nothing(fd);
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"credit\",\"params\":{\"id\":5,\"n\":1}}");
	raw_expect(fd, "\"n\":3,");
	raw_expect_nothing(fd);
	for (int i = 0; i < 3; i++) /* beyond what may be given: counts for nothing, or for the most */
		raw_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"credit\",\"params\":{\"id\":5,\"n\":9223372036854775807}}");
	raw_expect_nothing(fd);
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"credit\",\"params\":{\"id\":5,\"n\":1024}}");
	for (int n = 4; n <= 500; n++)
		raw_expect(fd, "\"item\"");
	raw_expect(fd, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}");
	close(fd);
}

static void test_gone_in_stream(void **state)
{
	int fd = raw_greeted(ROLE_STREAM);

	(void)state;
	raw_send(fd, WATCH(1));
	raw_expect(fd, "\"n\":1,");
	assert_int_equal(server->calls, 1);
	close(fd);
	settle();
	assert_int_equal(server->calls, 0);
}

static void ask_for_too_much(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, PATIENCE);
	struct booking_log_params p = { .id = 1 };
	struct booking_log_result r;
	char long_name[300], *site = malloc(1 << 21);

	(void)arg;
	assert_int_equal(call_booking_log(c, peer, &p, &r), REFUSED);
	assert_int_equal(c->refusal.code, ERR_too_large);
	show_ok(NULL); /* and the connection is as good as before */

	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	struct session_fetch_params sp = { .site = long_name };
	struct session_fetch_result sr;
	assert_int_equal(call_session_fetch(c, peer, &sp, &sr), REFUSED); /* not even sent */
	assert_int_equal(c->refusal.code, ERR_invalid);
	assert_string_equal(c->refusal.field, "site");

	memset(site, 'x', (1 << 21) - 1);
	site[(1 << 21) - 1] = '\0';
	struct raw_json out = { 0 };
	sp.site = site;
	assert_int_equal(peer_call_text(peer, c, &method_session_fetch, &sp, &out), REFUSED);
	assert_int_equal(c->refusal.code, ERR_invalid);
	free(site);
	show_ok(NULL);
}

static void test_too_large(void **state)
{
	(void)state;
	run(ask_for_too_much, NULL);
}

static int connect_to(const char *to)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, to);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Root may be whoever it likes; anyone else who is not who the socket is for is closed before a byte is read. */
static void test_wrong_user(void **state)
{
	char other[128];
	int listening, status;

	(void)state;
	snprintf(other, sizeof(other), "%s/other", directory);
	listening = listen_at(directory, other);
	assert_true(listening >= 0);
	server_listen(server, listening, ROLE_FRONT, 4242);
	chmod(directory, 0711);
	chmod(other, 0666);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char byte;
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(2);
		int fd = connect_to(other);
		fcntl(fd, F_SETFL, 0);
		send(fd, "\0\0\0\2{}", 6, MSG_NOSIGNAL);
		_exit(recv(fd, &byte, 1, 0) <= 0 ? 0 : 1);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	unlink(other);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Whoever crowds one socket crowds nobody out of another. */
static void test_too_many_connections(void **state)
{
	int far[257], ends[2];
	char byte;

	(void)state;
	for (int i = 0; i < 257; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
		far[i] = ends[0];
		server_adopt(server, ends[1], ROLE_CONTROL, geteuid(), NULL, NULL);
	}
	run(show_ok, NULL);
	assert_int_equal(recv(far[255], &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(recv(far[256], &byte, 1, 0), 0); /* closed */
	for (int i = 0; i < 257; i++)
		close(far[i]);
}

/* Without descriptors there is a pause, not a spin; afterwards whoever waited is served. */
static void test_out_of_descriptors(void **state)
{
	struct rlimit before, none;
	int fd = connect_to(path), turns = 0;
	int64_t began = loop_now();

	(void)state;
	if (RUNNING_ON_VALGRIND) /* which keeps descriptors of its own */
		skip();
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)fd + 1;
	setrlimit(RLIMIT_NOFILE, &none);
	int filler = dup(fd);
	assert_int_equal(filler, -1);
	loop_turn(); /* it cannot be accepted */
	while (loop_now() - began < 150) {
		struct timeval tick = { .tv_usec = 50000 };
		event_base_loopexit(loop_base(), &tick);
		event_base_dispatch(loop_base());
		turns++;
	}
	assert_in_range(turns, 1, 5);
	setrlimit(RLIMIT_NOFILE, &before);
	raw_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":2}}");
	raw_expect(fd, "\"result\"");
	close(fd);
}

static void drain(void *arg)
{
	int64_t began = loop_now();

	(void)arg;
	server_drain(server, PATIENCE);
	assert_true(loop_now() - began < PATIENCE_MS);
}

static void test_drain(void **state)
{
	int fd = raw_greeted(ROLE_STREAM | ROLE_FRONT);

	(void)state;
	gate = false;
	raw_send(fd, WATCH(1));
	raw_expect(fd, "\"n\":1,");
	raw_send(fd, SHOW(9, ALICE "\"ms\":100,", 997));
	settle();
	assert_int_equal(server->calls, 2);
	run(drain, NULL);
	raw_expect(fd, "\"id\":5,\"error\":{\"code\":8,\"message\":\"botd stops; try again in a moment.\"");
	raw_expect(fd, "It is over.");
	raw_send(fd, SHOW(10, ALICE, 5));
	raw_expect(fd, "\"name\":\"unavailable\"");
	close(fd);
}

static void free_server(void *arg)
{
	(void)arg;
	server = server_free(server);
}

/* A daemon's stop function runs on a fiber, where the loop cannot be entered again. */
static void test_free_on_a_fiber(void **state)
{
	int fd = raw_greeted(ROLE_FRONT);

	(void)state;
	handler_cancelled = false;
	raw_send(fd, SHOW(9, ALICE, 999));
	settle();
	assert_int_equal(server->calls, 1);
	run(free_server, NULL);
	assert_true(handler_cancelled);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memfds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unreachable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hello_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_patience, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_hello_and_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_and_wrong_role, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scopes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_parameter_of_wide_characters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_calls_in_flight_are_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone_while_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_credit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone_in_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_out_of_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_drain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_free_on_a_fiber, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
