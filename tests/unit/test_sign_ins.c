/*
 * The registry of sign-ins: what is listed and forgotten, and what ends with a login. The launcher is one that cannot be
 * started, or one that never answers; authd is a server of this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fiber.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/settings.h"
#include "proto/authd.h"
#include "proto/call.h"
#include "proto/field.h"
#include "proto/peer.h"
#include "proto/server.h"
#include "recipe/set.h"
#include "streamd/edge/edge_routes.h"
#include "streamd/handlers.h"
#include "streamd/signin/sign_ins.h"

#define MOST_OPEN 256
#define ENDED     64 /* that are kept */

static char directory[64], http_path[96], authd_path[96], launcher_path[96];
static struct streamd d;
static int launcher = -1;

static int refuse_login_look(struct call *call, const void *params, void *result)
{
	(void)params, (void)result;
	return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
}

static int keep_login_watch(struct call *call, const void *params, void *result)
{
	(void)call, (void)params, (void)result;
	return fiber_sleep_until(NEVER);
}

static const struct dispatch_row authd_rows[] = {
	{ &method_login_look, refuse_login_look },
	{ &method_login_watch, keep_login_watch },
	{ 0 },
};

static struct server *serve_authd(void)
{
	struct server *s = server_new("authd", authd_rows, NULL);
	int fd = listen_at(directory, authd_path);

	assert_true(fd >= 0);
	server_listen(s, fd, ROLE_STREAM, geteuid());
	return s;
}

static void make_daemon(void)
{
	static char *origin = "https://stead.test";
	struct words origins = { .items = &origin, .count = 1 };
	struct edge_config config = { .origins = &origins };
	static const struct edge_route nothing = { .prefix = "/ws/nothing/" };

	d = (struct streamd){ .settings = { .chromium = "/nowhere/chromium",
		.launcher = launcher_path,
		.most_streams = MOST_OPEN,
		.most_streams_a_user = MOST_OPEN,
		.stream_idle_s = 600,
		.stream_absolute_s = 1800,
		.stream_unseen_s = 120,
		.quality = 80 } };
	d.recipes = recipe_load_dirs("sites", NULL);
	d.authd = peer_new("streamd", "authd", authd_path);
	d.sign_ins = sign_ins_new(&d);
	assert_int_equal(edge_routes_new(listen_at(directory, http_path), &config, d.authd, &nothing, 1, &d.routes), 0);
}

static void free_daemon(void)
{
	sign_ins_end(d.sign_ins);
	d.routes = edge_routes_free(d.routes);
	d.sign_ins = sign_ins_free(d.sign_ins);
	peer_free(d.authd);
	recipe_set_free(d.recipes);
}

static void run(void *arg)
{
	void (*const *test)(void) = arg;

	make_daemon();
	(*test)();
	free_daemon();
}

/* An assertion that fails leaves the fiber by a long jump, and nothing can run after that. */
static void in_fiber(void (*test)(void))
{
	static bool under_way;
	struct fiber *f = NULL;

	if (under_way)
		exit(EXIT_FAILURE);
	under_way = true;
	fiber_start("test", run, &test, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
	under_way = false;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/stead-streams-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(http_path, sizeof(http_path), "%s/http", directory);
	snprintf(authd_path, sizeof(authd_path), "%s/authd", directory);
	snprintf(launcher_path, sizeof(launcher_path), "%s/launcher", directory);
	alarm(60);
	return loop_init();
}

static int tear_down(void **state)
{
	(void)state;
	if (launcher >= 0)
		close(launcher);
	launcher = -1;
	loop_deinit();
	fiber_drop_stacks();
	unlink(http_path);
	unlink(authd_path);
	unlink(launcher_path);
	rmdir(directory);
	return 0;
}

/* A launcher that takes connections and says nothing: whoever asks it for a browser waits. */
static void silence_launcher(void)
{
	launcher = listen_at(directory, launcher_path);
	assert_true(launcher >= 0);
}

static struct sign_in *open_one(const char *login)
{
	const struct acting acting = { .user = 7, .name = "alice", .login = login, .scopes = SCOPES_PERSON };
	const struct stream_open_params params = { .site = "spaceiq" };
	struct call *call = call_new(&d, &acting, NEVER);
	struct stream_open_result result;
	struct sign_in *s;

	assert_int_equal(stream_open(call, &params, &result), 0);
	s = sign_ins_find(d.sign_ins, result.id);
	assert_non_null(s);
	call_free(call);
	return s;
}

static void open_many(size_t n)
{
	for (size_t i = 0; i < n; i++)
		open_one(NULL);
}

static void await_all_ended(void)
{
	while (sign_ins_count(d.sign_ins, 0).open > 0)
		fiber_sleep_until(deadline_in(5));
}

static size_t count_listed(void)
{
	struct call *call = call_new(&d, NULL, NEVER);
	const struct stream_list_params params = {};
	struct stream_list_result result = { 0 };
	struct bytes t = { 0 };
	size_t n;
	int fd;

	call->role = ROLE_CONTROL;
	assert_int_equal(stream_list(call, &params, &result), 0);
	n = result.streams_count;
	assert_int_equal(fields_write(&t, method_stream_list.result(), &result, &fd, &call->refusal), 0);
	bytes_free(&t);
	call_free(call);
	return n;
}

static void list_all(void)
{
	open_many(MOST_OPEN);
	assert_int_equal(count_listed(), MOST_OPEN);
	await_all_ended(); /* their launcher cannot be started */
	open_many(MOST_OPEN);
	assert_int_equal(sign_ins_count(d.sign_ins, 0).open, MOST_OPEN);
	assert_int_equal(count_listed(), MOST_OPEN + ENDED);
	await_all_ended();
	assert_int_equal(count_listed(), MOST_OPEN + ENDED);
}

static void test_list_has_all_there_can_be(void **state)
{
	(void)state;
	in_fiber(list_all);
}

static void close_it(void *arg)
{
	struct call *call = call_new(&d, NULL, NEVER);
	const struct stream_close_params params = { .id = arg };
	struct stream_close_result result;

	call->role = ROLE_CONTROL;
	assert_int_equal(stream_close(call, &params, &result), 0);
	call_free(call);
}

static void open_another(void *arg)
{
	assert_int_equal(sign_in_wait_ended(arg, NEVER), 0);
	open_one(NULL);
}

/* The oldest is closed, and forgotten for one that is opened before whoever closed it has heard. */
static void close_and_open(void)
{
	struct fiber *closer = NULL, *opener = NULL;
	struct sign_in *oldest;

	silence_launcher();
	oldest = open_one(NULL);
	fiber_yield(); /* it waits for its launcher */
	unlink(launcher_path);
	open_many(ENDED);
	while (sign_ins_count(d.sign_ins, 0).open > 1)
		fiber_sleep_until(deadline_in(5));
	fiber_start("close", close_it, oldest->id, &closer);
	fiber_start("open", open_another, oldest, &opener);
	fiber_join(&closer);
	fiber_join(&opener);
	await_all_ended();
}

static void test_closed_while_another_is_opened(void **state)
{
	(void)state;
	in_fiber(close_and_open);
}

/* It ended between authd's passing the call on and the hold, and authd is away just then. */
static void lose_login(void)
{
	struct sign_in *s;
	struct server *authd;

	silence_launcher();
	s = open_one("gone");
	fiber_sleep_until(deadline_in(50));
	assert_int_equal(s->ended_at_ms, 0);
	authd = serve_authd();
	assert_int_equal(sign_in_wait_ended(s, deadline_in(10000)), 0);
	assert_string_equal(step_word(s->step), "closed");
	assert_string_equal(s->reason, "You were signed out of Stead.");
	assert_string_equal(s->advice,
		"Nothing was saved. Sign in to Stead again, then start the sign-in to the site again.");
	d.routes = edge_routes_free(d.routes);
	server_free(authd);
}

static void test_login_ended_before_it_was_held(void **state)
{
	(void)state;
	in_fiber(lose_login);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list_has_all_there_can_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_closed_while_another_is_opened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_login_ended_before_it_was_held, set_up, tear_down),
	};

	log_open("test_sign_ins", LOG_ERROR - 1); /* hundreds of launchers cannot be started */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
