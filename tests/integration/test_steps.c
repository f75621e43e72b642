/*
 * A bot's run at the stand-in desk site, as botd drives it: the probe, the list of one's own bookings, a booking by the
 * recipe's action, and the session as it is afterwards.
 */
#include "tests/integration/test_steps_rig.h"

#include "common/memfd.h"
#include "recipe/template.h"
#include "streamd/handlers.h"
#include "streamd/run/runs.h"
#include "streamd/session/capture.h"

#define ALICE "alice@example.test"

static const struct acting alice = { .user = 7, .name = "alice", .scopes = SCOPES_PERSON };
static const struct acting mallory = { .user = 8, .name = "mallory", .scopes = SCOPES_PERSON };

static struct streamd streamd;
static const struct recipe *desk;
static char control[100];
static pid_t sites;
static int sites_stdin = -1, session = -1;

/* One call of the sites' control socket, in JSON; body NULL: a GET. */
static json_t *ask_sites(const char *path, const char *body)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char text[65536];
	size_t n = 0;
	ssize_t got;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", control);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	dprintf(fd, "%s %s HTTP/1.0\r\nHost: sites\r\nContent-Length: %zu\r\n\r\n%s", body ? "POST" : "GET", path,
		body ? strlen(body) : 0, body ? body : "");
	while (n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	const char *at = strstr(text, "\r\n\r\n");
	assert_non_null(at);
	json_t *answer = json_loads(at, 0, NULL);
	assert_non_null(answer);
	return answer;
}

static long long count_of(const char *name)
{
	json_t *state = ask_sites("/state", NULL);
	long long n = json_integer_value(json_object_get(json_object_get(state, "counts"), name));

	json_decref(state);
	return n;
}

/* Starts them; what they say once they are ready. */
static json_t *start_sites(void)
{
	int in[2], out[2];
	char line[8192] = "";
	size_t n = 0;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	sites = fork();
	if (sites == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execlp("node", "node", "tests/sites/serve.mjs", "--dir", rig.dir, "--stdin-lifetime", NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	sites_stdin = in[1];
	while (!strchr(line, '\n')) {
		ssize_t got = read(out[0], line + n, sizeof(line) - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
		line[n] = '\0';
	}
	assert_int_equal(strncmp(line, "ready ", 6), 0);
	json_t *info = json_loads(line + 6, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(info);
	return info;
}

static void reach_sites(json_t *info)
{
	static char text[16][256];
	const char *more[16] = { 0 };
	size_t n = 0, i;
	json_t *host;

	snprintf(control, sizeof(control), "%s", json_string_value(json_object_get(info, "control")));
	snprintf(text[n], sizeof(text[n]), "trusted_key=%s", json_string_value(json_object_get(info, "spki")));
	more[n] = text[n];
	n++;
	json_array_foreach (json_object_get(info, "hosts"), i, host) {
		snprintf(text[n], sizeof(text[n]), "pin=%s=127.0.0.1:%lld", json_string_value(host),
			(long long)json_integer_value(json_object_get(info, "port")));
		more[n] = text[n];
		n++;
	}
	more[n++] = "most_runs=2";
	rig_settings(more);
}

static int set_up(void **state)
{
	json_t *info;

	(void)state;
	rig_paths();
	assert_int_equal(loop_init(), 0);
	info = start_sites();
	reach_sites(info);
	json_decref(info);
	streamd.settings = rig.settings;
	streamd.recipes = recipe_load_dirs("tests/sites", NULL);
	desk = recipe_find(streamd.recipes, "desk");
	assert_non_null(desk);
	streamd.runs = runs_new(&streamd);
	return 0;
}

static void end_runs(void *arg)
{
	(void)arg;
	runs_free(streamd.runs);
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	in_fiber(end_runs, NULL);
	recipe_set_free(streamd.recipes);
	closep(&session);
	close(sites_stdin);
	waitpid(sites, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", rig.dir);
	assert_int_equal(system(command), 0);
	rig_end();
	fiber_drop_stacks();
	loop_deinit();
	return 0;
}

/* Signing in is the person's part; here steps do it, and what is captured is the session that runs are given. */

static void sign_in(struct browser *b, struct arena *arena)
{
	json_t *totp;

	take(b, NULL, arena, STEP_END_DONE, "{\"step\": \"open\", \"url\": \"https://desk.test/login\"}");
	take(b, NULL, arena, STEP_END_DONE,
		"{\"step\": \"click\", \"at\": {\"role\": \"button\", \"text\": \"company SSO\"}}");
	take(b, NULL, arena, STEP_END_DONE, "{\"step\": \"wait_for\", \"page\": \"https://sso.test/*\"}");
	take(b, NULL, arena, STEP_END_DONE,
		"{\"step\": \"fill\", \"at\": {\"name\": \"User name\"}, \"value\": \"alice\"}");
	take(b, NULL, arena, STEP_END_DONE,
		"{\"step\": \"fill\", \"at\": {\"css\": \"#password\"}, \"value\": \"correct horse 1\"}");
	take(b, NULL, arena, STEP_END_DONE, "{\"step\": \"click\", \"at\": {\"role\": \"button\", \"name\": \"Next\"}}");
	totp = ask_sites("/totp?login=alice", NULL);
	take(b, NULL, arena, STEP_END_DONE,
		arena_printf(arena, "{\"step\": \"fill\", \"at\": {\"name\": \"Code\"}, \"value\": \"%s\"}",
			json_string_value(json_object_get(totp, "code"))));
	json_decref(totp);
	take(b, NULL, arena, STEP_END_DONE, "{\"step\": \"click\", \"at\": {\"css\": \"#verify\"}}");
	take(b, NULL, arena, STEP_END_DONE, "{\"step\": \"wait_for\", \"at\": {\"css\": \"body[data-ready=yes] #who\"}}");
}

static void capture_session(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(60000));
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	static const struct browser_events no_events;
	struct environment e;
	struct browser *b;
	struct state *state;

	(void)arg;
	streamd_environment(desk, 1280, 800, &e);
	if (browser_open(call, &rig.settings, desk, &e, false, &no_events, NULL, &b) < 0)
		fail_msg("%s", call->refusal.message);
	sign_in(b, arena);
	assert_int_equal(browser_set_network(b, call, false), 0);
	assert_int_equal(capture_whole(b, NO_TARGET, desk, NULL, deadline_in(20000), &state), 0);
	assert_int_equal(state_memfd(state, &session), 0);
	state_free(state);
	browser_close(b);
}

static void test_sign_in(void **state)
{
	(void)state;
	in_fiber(capture_session, NULL);
	assert_true(session >= 0);
}

/* What botd would call. */

struct opened {
	char run[16];
	const char *verdict, *reason, *left_out;
	int state; /* what is given back */
};

static struct opened open_run(struct call *call, const char *account)
{
	static int runs;
	struct opened o = { 0 };
	struct run_open_params p = { .run = o.run, .site = "desk", .account = account, .session = 1, .version = 1, .state = session };
	struct run_open_result r = { 0 };
	int64_t began = loop_now();

	snprintf(o.run, sizeof(o.run), "run %d", ++runs);
	if (run_open(call, &p, &r) < 0)
		fail_msg("%s", call->refusal.message);
	print_message("  %5lld ms  run_open: %s %s\n", (long long)(loop_now() - began), r.verdict, r.reason ?: "");
	o.verdict = r.verdict;
	o.reason = r.reason;
	o.left_out = r.left_out;
	o.state = r.state;
	return o;
}

static struct run_step_result step_run(struct call *call, const char *run, json_t *step)
{
	struct run_step_params p = { .run = run, .step = step };
	struct run_step_result r = { 0 };
	int64_t began = loop_now();
	char *text = json_dumps(step, 0);

	if (run_step(call, &p, &r) < 0)
		fail_msg("%s: %s", text, call->refusal.message);
	print_message("  %5lld ms  %s %s %s\n", (long long)(loop_now() - began), r.result, text, r.reason ?: "");
	free(text);
	if (r.picture >= 0)
		call_keep_fd(call, r.picture);
	return r;
}

static int close_run(struct call *call, const char *run, bool discard)
{
	struct run_close_params p = { .run = run, .discard = discard };
	struct run_close_result r = { 0 };
	int64_t began = loop_now();

	assert_int_equal(run_close(call, &p, &r), 0);
	print_message("  %5lld ms  run_close\n", (long long)(loop_now() - began));
	return r.state;
}

static const char *tomorrow(void)
{
	static char text[16];
	time_t t = time(NULL) + 86400;

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime(&t));
	return text;
}

/* The recipe's steps with the variables filled in; the last answer. */
static struct run_step_result walk(struct call *call, const char *run, const struct step *steps, size_t count,
	const char *want)
{
	const struct variable items[] = { { "date", tomorrow(), true, NULL }, { "building", "1", false, NULL },
		{ "floor", "2", false, NULL }, { "desk", "D-203", false, NULL }, { "note", "near the window", false, NULL } };
	const struct variables v = { items, sizeof(items) / sizeof(*items) };
	struct run_step_result r = { .result = "done" };

	for (size_t i = 0; i < count && strcmp(r.result, "done") == 0; i++) {
		json_t *filled;
		char why[256];
		assert_int_equal(step_fill(&steps[i], &v, &filled, why, sizeof(why)), 0);
		r = step_run(call, run, filled);
		json_decref(filled);
	}
	assert_string_equal(r.result, want);
	return r;
}

static void book(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(120000));
	const struct recipe_action *a = recipe_action_find(desk, "book");
	struct opened run = open_run(call, ALICE);
	long long loads = count_of("loads");
	struct run_step_result r;

	(void)arg;
	assert_string_equal(run.verdict, "in");
	assert_int_equal(run.state, -1);
	r = walk(call, run.run, a->list.steps, a->list.steps_count, "done");
	assert_int_equal(r.rows_count, 0);
	assert_int_equal(count_of("loads"), loads); /* it begins on the probe's page, as that was left */
	walk(call, run.run, a->steps, a->steps_count, "done");
	r = walk(call, run.run, a->list.steps, a->list.steps_count, "done");
	assert_int_equal(r.rows_count, 1);
	assert_string_equal(r.rows[0].cells[1].name, "desk");
	assert_string_equal(r.rows[0].cells[1].value, "D-203");
	assert_int_equal(count_of("accepted"), 1);
	assert_int_equal(close_run(call, run.run, false), -1); /* the site has changed nothing of it */
	assert_int_equal(runs_count(streamd.runs), 0);
}

static void test_book(void **state)
{
	(void)state;
	in_fiber(book, NULL);
}

/* The desk is ours by now on that day; another's is refused by the site, which says so on the page. */
static void refused(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(120000));
	const struct recipe_action *a = recipe_action_find(desk, "book");
	struct opened run = open_run(call, ALICE);
	const struct variable items[] = { { "date", tomorrow(), true, NULL }, { "building", "1", false, NULL },
		{ "floor", "2", false, NULL }, { "desk", "D-207", false, NULL }, { "note", "", false, NULL } };
	const struct variables v = { items, 5 };
	struct run_step_result r = { .result = "done" };
	json_t *read = json_pack("{s:s, s:{s:s}, s:i}", "step", "read", "at", "css", "#booking_error", "timeout_ms", 1000);

	(void)arg;
	for (size_t i = 0; i < a->steps_count && strcmp(r.result, "done") == 0; i++) {
		json_t *filled;
		char why[256];
		assert_int_equal(step_fill(&a->steps[i], &v, &filled, why, sizeof(why)), 0);
		r = step_run(call, run.run, filled);
		json_decref(filled);
	}
	assert_string_equal(r.result, "missing");
	assert_non_null(strstr(r.reason, "still there"));
	r = step_run(call, run.run, read);
	json_decref(read);
	assert_non_null(strstr(r.text, "already taken"));
	close_run(call, run.run, true);
}

static void test_refused(void **state)
{
	(void)state;
	in_fiber(refused, NULL);
}

/* Somebody else's run is none, and one that gets no steps ends. */
static void not_yours(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(60000));
	CLEANUP(call_freep) struct call *other = call_new(&streamd, &mallory, deadline_in(60000));
	struct opened run = open_run(call, ALICE);
	json_t *step = json_pack("{s:s}", "step", "picture");
	struct run_step_params p = { .run = run.run, .step = step };
	struct run_step_result r = { 0 };
	int64_t end = deadline_in(15000);

	(void)arg;
	assert_int_equal(run_step(other, &p, &r), REFUSED);
	assert_int_equal(other->refusal.code, ERR_not_found);
	streamd.settings.run_idle_s = 1;
	r = step_run(call, run.run, step);
	assert_true(r.picture >= 0);
	while (runs_count(streamd.runs) && loop_now() < end)
		fiber_sleep_until(deadline_in(50));
	assert_int_equal(run_step(call, &p, &r), REFUSED);
	assert_int_equal(call->refusal.code, ERR_not_found);
	streamd.settings.run_idle_s = rig.settings.run_idle_s;
	json_decref(step);
}

static void test_not_yours(void **state)
{
	(void)state;
	in_fiber(not_yours, NULL);
}

static void limits(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(60000));
	struct run_open_params p = { .run = "one more", .site = "desk", .account = ALICE, .session = 1, .version = 1, .state = session };
	struct opened a = open_run(call, ALICE), b = open_run(call, ALICE), other;
	struct run_open_result r;
	json_t *bad = json_pack("{s:s}", "step", "open");
	struct run_step_params step = { .run = a.run, .step = bad };
	struct run_step_result done = { 0 };

	(void)arg;
	assert_int_equal(run_open(call, &p, &r), REFUSED);
	assert_int_equal(call->refusal.code, ERR_busy);
	assert_int_equal(run_step(call, &step, &done), REFUSED);
	assert_int_equal(call->refusal.code, ERR_invalid);
	json_decref(bad);
	close_run(call, a.run, true);
	close_run(call, b.run, true);
	other = open_run(call, "bob@example.test"); /* not whom the site shows */
	assert_string_equal(other.verdict, "out");
	assert_non_null(strstr(other.reason, ALICE));
	assert_int_equal(runs_count(streamd.runs), 0);
}

static void test_limits(void **state)
{
	(void)state;
	in_fiber(limits, NULL);
}

/* Until what acts is held back: it is let go, and has no answer. */
static void act_unanswered(struct call *call, const char *run, const struct variables *v)
{
	const struct recipe_action *a = recipe_action_find(desk, "book");
	struct run_act_result acted = { .result = "done" };
	struct run_send_params send = { .run = run, .wait_ms = 500 };
	struct run_send_result sent = { 0 };
	char why[256];

	for (size_t i = 0; i < a->steps_count && strcmp(acted.result, "held") != 0; i++) {
		struct run_act_params p = { .run = run };
		assert_int_equal(step_fill(&a->steps[i], v, &p.step, why, sizeof(why)), 0);
		if (!a->steps[i].act)
			assert_string_equal(step_run(call, run, p.step).result, "done");
		else if (run_act(call, &p, &acted) < 0)
			fail_msg("%s", call->refusal.message);
		json_decref(p.step);
	}
	assert_string_equal(acted.result, "held");
	assert_int_equal(run_send(call, &send, &sent), 0);
	assert_string_equal(sent.answer, "open");
}

/* An act that is never answered is waited for as long as the call allows, and what the browser holds is captured all the same. */
static void unanswered(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(120000)), *closing = NULL;
	const struct variable items[] = { { "date", tomorrow(), true, NULL }, { "building", "1", false, NULL },
		{ "floor", "2", false, NULL }, { "desk", "D-204", false, NULL }, { "note", "", false, NULL } };
	const struct variables v = { items, sizeof(items) / sizeof(*items) };
	struct opened run = open_run(call, ALICE);
	long long accepted = count_of("accepted");
	int64_t began;

	(void)arg;
	json_decref(ask_sites("/knobs", "{\"accept_then_hang\": 1, \"rotate\": true}"));
	act_unanswered(call, run.run, &v);
	began = loop_now();
	closing = call_new(&streamd, &alice, deadline_in(17000));
	run.state = close_run(closing, run.run, false);
	assert_true(loop_now() - began >= 1900);
	assert_true(run.state >= 0); /* what the site has rotated */
	assert_int_equal(runs_count(streamd.runs), 1); /* until it is known to be saved */
	assert_int_equal(close_run(closing, run.run, true), -1);
	assert_int_equal(runs_count(streamd.runs), 0);
	assert_int_equal(count_of("accepted"), accepted + 1);
	json_decref(ask_sites("/knobs", "{\"accept_then_hang\": 0, \"rotate\": false}"));
	close(session);
	session = run.state;
	run = open_run(call, ALICE);
	assert_string_equal(run.verdict, "in");
	close_run(call, run.run, true);
}

static void test_unanswered(void **state)
{
	(void)state;
	in_fiber(unanswered, NULL);
}

/* Calls fn with every child of a process; their number. */
static int for_children(pid_t pid, void (*fn)(pid_t child))
{
	char path[64];
	int n = 0, child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fscanf(f, "%d", &child) == 1) {
		fn(child);
		n++;
	}
	fclose(f);
	return n;
}

static void kill_child(pid_t child)
{
	kill(child, SIGKILL);
}

/* The sites are a child too, and have none of their own; a launcher's are the browser's processes. */
static void kill_children(pid_t launcher)
{
	for_children(launcher, kill_child);
}

/* A browser that dies is told by the next step, in words; its run can still be closed. */
static void kill_browser(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(60000));
	struct opened run = open_run(call, ALICE);
	json_t *crash = json_pack("{s:s, s:s}", "step", "open", "url", "https://desk.test/finder/building/1/floor/1");
	struct run_step_result r;

	(void)arg;
	assert_true(for_children(getpid(), kill_children) > 0);
	r = step_run(call, run.run, crash);
	assert_string_equal(r.result, "failed");
	assert_non_null(strstr(r.reason, "The browser was ended on the server"));
	json_decref(crash);
	assert_int_equal(close_run(call, run.run, false), -1);
}

static void test_kill_browser(void **state)
{
	(void)state;
	in_fiber(kill_browser, NULL);
}

/* The site ends the session in the middle: the step says so, and what is left is given back, for it may be a mishap. */
static void expire(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(&streamd, &alice, deadline_in(60000));
	struct opened run = open_run(call, ALICE);
	json_t *open = json_pack("{s:s, s:s}", "step", "open", "url", "https://desk.test/finder/building/1/floor/1");
	struct run_step_result r;

	(void)arg;
	json_decref(ask_sites("/expire", "{\"login\": \"alice\"}"));
	r = step_run(call, run.run, open);
	json_decref(open);
	assert_string_equal(r.result, "expired");
	assert_non_null(r.reason);
	assert_true(r.picture >= 0);
	run.state = close_run(call, run.run, false);
	assert_true(run.state >= 0);
	close(run.state);
	close_run(call, run.run, true); /* it is saved, and may be forgotten */
	run = open_run(call, ALICE);
	assert_string_equal(run.verdict, "out");
	assert_int_equal(runs_count(streamd.runs), 0);
}

static void test_expire(void **state)
{
	(void)state;
	in_fiber(expire, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_in),
		cmocka_unit_test(test_book),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_not_yours),
		cmocka_unit_test(test_kill_browser),
		cmocka_unit_test(test_expire),
	};

	rig_drop_user();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
