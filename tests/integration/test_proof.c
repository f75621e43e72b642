/*
 * The proof against the stand-in desk site, in real browsers: a captured session passes twice, and fails as soon as any
 * one kind of state is missing, the site takes it back, another account was expected, or the probe proves nothing.
 */
#include "tests/integration/test_steps_rig.h"

#include "common/cbor_out.h"
#include "common/memfd.h"
#include "streamd/browser/element.h"
#include "streamd/browser/page.h"
#include "streamd/session/capture.h"
#include "streamd/session/proof.h"

#define DEADLINE_MS 120000

static pid_t sites;
static int sites_stdin = -1;
static json_t *info; /* what the stand-ins say of themselves */
static struct recipe *recipe; /* which tests change */
static struct state *captured; /* alice's, by the first test */

static const char *info_text(const char *name)
{
	return json_string_value(json_object_get(info, name));
}

static void start_sites(void)
{
	char line[8192], directory[128];
	int in[2], out[2];
	FILE *from;

	snprintf(directory, sizeof(directory), "%s/sites", rig.dir);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	sites = fork();
	if (sites == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execlp("node", "node", "tests/sites/serve.mjs", "--dir", directory, "--stdin-lifetime", NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	sites_stdin = in[1];
	from = fdopen(out[0], "r");
	assert_non_null(fgets(line, sizeof(line), from));
	assert_memory_equal(line, "ready ", 6);
	info = json_loads(line + 6, 0, NULL);
	assert_non_null(info);
}

/* One call of the stand-ins' control socket; the answer is to be freed. */
static json_t *control(const char *path, const char *body)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char answer[1 << 16], request[1024];
	size_t n = 0;
	ssize_t r;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", info_text("control"));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (body)
		snprintf(request, sizeof(request),
			"POST %s HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", path,
			strlen(body), body);
	else
		snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (n < sizeof(answer) - 1 && (r = read(fd, answer + n, sizeof(answer) - 1 - n)) > 0)
		n += (size_t)r;
	close(fd);
	answer[n] = '\0';
	assert_non_null(strstr(answer, " 200 "));
	return json_loads(strstr(answer, "\r\n\r\n") + 4, 0, NULL);
}

static int set_up(void **state)
{
	const struct recipe *read = NULL;
	static char pins[8][96], key[96];
	const char *more[10] = { NULL };
	char why[512];
	size_t i;
	json_t *host;

	(void)state;
	rig_paths();
	start_sites();
	loop_init();
	json_array_foreach(json_object_get(info, "hosts"), i, host) {
		snprintf(pins[i], sizeof(pins[i]), "pin=%s=127.0.0.1:%lld", json_string_value(host),
			json_integer_value(json_object_get(info, "port")));
		more[i] = pins[i];
	}
	snprintf(key, sizeof(key), "trusted_key=%s", info_text("spki"));
	more[i] = key;
	rig_settings(more);
	if (recipe_load_file("tests/sites/desk.json", &read, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	recipe = (struct recipe *)read;
	recipe->probe.second_look_ms = 100;
	return 0;
}

static int tear_down(void **state)
{
	char command[PATH_MAX];

	(void)state;
	close(sites_stdin);
	waitpid(sites, NULL, 0);
	state_free(captured);
	recipe_unref(recipe);
	json_decref(info);
	snprintf(command, sizeof(command), "%s/sites", rig.dir);
	if (fork() == 0)
		execlp("rm", "rm", "-rf", command, NULL);
	wait(NULL);
	rig_end();
	fiber_drop_stacks();
	loop_deinit();
	return 0;
}

static struct call *new_call(void)
{
	static const struct acting alice = { .user = 1, .name = "alice", .scopes = SCOPES_PERSON };

	return call_new(NULL, &alice, deadline_in(DEADLINE_MS));
}

static const struct browser_events no_events;

static void evaluate(struct browser *b, const char *code)
{
	struct cdp_reply reply;
	int r = cdp_call(browser_cdp(b), browser_page(b)->session, "Runtime.evaluate", deadline_in(10000), &reply,
		CDP_TEXT("expression", code), CDP_BOOL("userGesture", true));

	assert_int_equal(r, 0);
	assert_null(cbor_get(reply.result, "exceptionDetails"));
	cdp_reply_free(&reply);
}

static void await(struct browser *b, const char *css)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct selector at = { .css = css, .nth = 1 };
	const struct wish wish = { .at = &at };
	int64_t deadline = deadline_in(20000);
	struct element e = { .late = true };

	while (loop_now() < deadline) {
		int r = element_wait(target_ref_of(browser_page(b)), &wish, 1, deadline - loop_now(), arena, &e);
		if (r == 0 && !e.moved && !e.late)
			return;
		fiber_sleep_until(deadline_in(20)); /* the document went on */
	}
	fail_msg("%s did not come; the page is at %s", css, url_shown(browser_page(b)->url));
}

static void sign_in_as_alice(struct browser *b)
{
	json_t *totp;
	char code[160], why[256];

	assert_int_equal(page_navigate(target_ref_of(browser_page(b)), recipe->sign_in.url, deadline_in(20000), why,
		sizeof(why)), 0);
	await(b, "#sso");
	evaluate(b, "document.querySelector('#sso').click()");
	await(b, "#username");
	evaluate(b, "document.querySelector('#username').value='alice';"
		    "document.querySelector('#password').value='correct horse 1';"
		    "document.querySelector('#next').click()");
	await(b, "#code");
	totp = control("/totp?login=alice", NULL);
	snprintf(code, sizeof(code),
		"document.querySelector('#code').value='%s';document.querySelector('#verify').click()",
		json_string_value(json_object_get(totp, "code")));
	json_decref(totp);
	evaluate(b, code);
	await(b, "body[data-ready=yes] #who");
}

static void capture_alice(void *arg)
{
	CLEANUP(call_freep) struct call *call = new_call();
	struct environment e = { .locale = "en-US", .time_zone = "UTC", .width = 1280, .height = 800 };
	struct browser *b;
	int r = browser_open(call, &rig.settings, recipe, &e, false, &no_events, NULL, &b);

	(void)arg;
	if (r != 0)
		fail_msg("%s", call_why(call, r));
	sign_in_as_alice(b);
	assert_int_equal(browser_set_network(b, call, false), 0);
	assert_int_equal(capture_whole(b, NO_TARGET, recipe, NULL, deadline_in(30000), &captured), 0);
	browser_close(b);
}

/* What a proof must come to. */
struct expectation {
	const struct state *state;
	const char *account; /* expected; NULL: any */
	enum verdict verdict;
	const char *says; /* what the reason must hold */
	const char *advises; /* and what the advice, if it has to be this */
	struct state *after;
};

static void prove(void *arg)
{
	struct expectation *e = arg;
	CLEANUP(call_freep) struct call *call = new_call();
	struct proof p;
	int r = proof_run(call, &rig.settings, recipe, e->state, e->account, &p);

	if (r != 0)
		fail_msg("%s", call_why(call, r));
	if (p.found.verdict != e->verdict)
		fail_msg("verdict %s: %s", verdict_word(p.found.verdict), p.found.why);
	if (e->says && !strstr(p.found.why, e->says))
		fail_msg("the reason does not say %s: %s", e->says, p.found.why);
	if (p.found.verdict == VERDICT_IN) {
		assert_string_equal(p.found.account, "alice@example.test");
		assert_non_null(p.after);
	} else {
		assert_null(p.after);
		assert_true(strlen(p.advice) > 10);
		if (e->advises && !strstr(p.advice, e->advises))
			fail_msg("the advice does not say %s: %s", e->advises, p.advice);
	}
	e->after = TAKE(p.after);
	proof_clear(&p);
}

static void test_passes(void **state)
{
	struct expectation e, again;

	(void)state;
	in_fiber(capture_alice, NULL);
	e = (struct expectation){ .state = captured, .account = "alice@example.test", .verdict = VERDICT_IN };
	in_fiber(prove, &e);
	again = (struct expectation){ .state = e.after, .verdict = VERDICT_IN };
	in_fiber(prove, &again);
	state_free(again.after);
	state_free(e.after);
}

/* Whose it is the site tells its page, and the page nobody; with it comes that the site takes the session. */
static void test_account_answered(void **state)
{
	struct recipe_account_source source = { .answer = "https://desk.test/boot", .pointer = "/person/email" };
	struct recipe_probe_in was = recipe->probe.in;
	struct expectation e = { .state = captured, .account = "alice@example.test", .verdict = VERDICT_IN };

	(void)state;
	recipe->probe.in = (struct recipe_probe_in){ .account = &source };
	in_fiber(prove, &e);
	state_free(e.after);
	recipe->probe.in = was;
}

static void put_raw(struct cbor_out *o, const struct cbor *v)
{
	size_t n;
	const uint8_t *p = cbor_raw(v, &n);

	cbor_put_raw(o, p, n);
}

static void put_key(struct cbor_out *o, const struct cbor *v)
{
	size_t n;
	const char *key = cbor_key(v, &n);

	cbor_put_text_n(o, key, n);
}

static bool key_is(const struct cbor *v, const char *key)
{
	size_t n;
	const char *k = cbor_key(v, &n);

	return n == strlen(key) && memcmp(k, key, n) == 0;
}

static bool area_is(const struct cbor *area, const char *key)
{
	return cbor_text_is(cbor_get(area, "key"), key);
}

/* An area without one of its parts. */
static void put_area(struct cbor_out *o, const struct cbor *area, const char *part)
{
	cbor_map_begin(o);
	for (const struct cbor *v = cbor_first(area); v; v = cbor_next(v)) {
		put_key(o, v);
		if (part && key_is(v, part))
			cbor_put_null(o);
		else
			put_raw(o, v);
	}
	cbor_map_end(o);
}

/* The captured session without one cookie (by name), or without one part of the area of a storage key. */
static struct state *without(const char *cookie, const char *area, const char *part)
{
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(closep) int fd = -1;
	const struct cbor *root;
	const uint8_t *bytes;
	struct state *s;
	char why[256];
	size_t n;

	assert_int_equal(state_memfd(captured, &fd), 0);
	assert_int_equal(memfd_map(fd, STATE_MOST, &view), 0);
	assert_int_equal(cbor_parse(arena, view.data, view.size, CBOR_ITEMS_DEFAULT, &root), 0);
	cbor_map_begin(o);
	for (const struct cbor *v = cbor_first(root); v; v = cbor_next(v)) {
		put_key(o, v);
		if (!key_is(v, "cookies") && !key_is(v, "areas")) {
			put_raw(o, v);
			continue;
		}
		cbor_cdp_array_begin(o);
		for (const struct cbor *i = cbor_first(v); i; i = cbor_next(i)) {
			if (key_is(v, "areas"))
				put_area(o, i, area && area_is(i, area) ? part : NULL);
			else if (!cookie || !cbor_text_is(cbor_get(i, "name"), cookie))
				put_raw(o, i);
		}
		cbor_cdp_array_end(o);
	}
	cbor_map_end(o);
	assert_int_equal(cbor_out_finish(o, &bytes, &n), 0);
	if (state_read(bytes, n, &s, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	return s;
}

#define DESK   "https://desk.test/"
#define WIDGET "https://widgets.test/^0https://desk.test"

/* Whether the site itself missed that kind when it was last asked; its address is not told in words. */
static bool site_missed(const char *kind)
{
	json_t *truth = control("/state", NULL), *session, *missing;
	bool missed = false;
	size_t i, j;

	json_array_foreach(json_object_get(truth, "sessions"), i, session)
		json_array_foreach(json_object_get(json_object_get(session, "last_check"), "missing"), j, missing)
			missed |= strcmp(json_string_value(missing), kind) == 0;
	json_decref(truth);
	return missed;
}

static void test_each_kind_counts(void **state)
{
	static const struct {
		const char *cookie, *area, *part, *kind;
	} rows[] = {
		{ "desk_session", NULL, NULL, NULL },
		{ "__Host-desk_device", NULL, NULL, "device-cookie" },
		{ "__Host-widget", NULL, NULL, "partitioned-cookie" },
		{ NULL, DESK, "local", "local-storage" },
		{ NULL, DESK, "session", "session-storage" },
		{ NULL, DESK, "databases", "indexeddb" },
		{ NULL, WIDGET, "local", "partitioned-storage" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CLEANUP(state_freep) struct state *less = without(rows[i].cookie, rows[i].area, rows[i].part);
		struct expectation e = { .state = less, .verdict = VERDICT_OUT, .says = "says that nobody is signed in" };
		print_message("  without %s\n", rows[i].cookie ? rows[i].cookie : rows[i].kind);
		in_fiber(prove, &e);
		assert_true(!rows[i].kind || site_missed(rows[i].kind));
	}
}

static void test_another_account(void **state)
{
	struct expectation e = { .state = captured, .account = "bob@example.test", .verdict = VERDICT_OUT,
		.says = "alice@example.test where bob@example.test was expected" };

	(void)state;
	in_fiber(prove, &e);
}

/* A mark that anybody is shown proves nothing, however well the session works. */
/* Marks that the page does not have are the recipe's fault before they are the site's: whoever tries one is told where to look. */
static void test_marks_of_another_page(void **state)
{
	struct recipe_probe sound = recipe->probe;
	struct selector nobody = { .css = "#nobody-has-this", .nth = 1 };
	struct expectation e = { .state = captured, .verdict = VERDICT_INCONCLUSIVE, .says = "Without the session: ",
		.advises = "the probe in the site's recipe" };

	(void)state;
	recipe->probe.url = "https://desk.test/login";
	recipe->probe.in = (struct recipe_probe_in){ .at = &nobody };
	recipe->probe.out = (struct recipe_probe_out){ .at = &nobody };
	recipe->probe.timeout_ms = 8000;
	in_fiber(prove, &e);
	recipe->probe = sound;
}

static void test_unsound_probe(void **state)
{
	struct recipe_probe sound = recipe->probe;
	struct selector anybody = { .css = "h1", .nth = 1 };
	struct expectation e = { .state = captured, .verdict = VERDICT_INCONCLUSIVE, .says = "even without the session" };

	(void)state;
	recipe->probe.url = "https://desk.test/login";
	recipe->probe.in = (struct recipe_probe_in){ .at = &anybody };
	recipe->probe.out = (struct recipe_probe_out){ 0 };
	in_fiber(prove, &e);
	recipe->probe = sound;
}

static void test_site_is_down(void **state)
{
	struct recipe_probe up = recipe->probe;
	struct expectation e = { .state = captured, .verdict = VERDICT_DOWN, .says = "cannot be reached" };

	(void)state;
	recipe->probe.url = "https://nobody.desk.test/";
	in_fiber(prove, &e);
	recipe->probe = up;
}

static void test_revoked(void **state)
{
	struct expectation e = { .state = captured, .account = "alice@example.test", .verdict = VERDICT_OUT,
		.says = "says that nobody is signed in" };

	(void)state;
	json_decref(control("/expire", "{\"login\":\"alice\"}"));
	in_fiber(prove, &e);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_account_answered),
		cmocka_unit_test(test_each_kind_counts),
		cmocka_unit_test(test_another_account),
		cmocka_unit_test(test_unsound_probe),
		cmocka_unit_test(test_marks_of_another_page),
		cmocka_unit_test(test_site_is_down),
		cmocka_unit_test(test_revoked), /* last: the session is gone afterwards */
	};

	rig_drop_user();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
