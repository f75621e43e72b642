/*
 * Lists that a page fetches: one whose request fails is no empty list, rows count once they are all there, and where neither
 * has come, the site's outage is told as that.
 */
#include "tests/integration/test_pages_rig.h"

#include <event2/bufferevent.h>

#include "streamd/browser/act.h"

#define SHOW "const show = (rows) => { ul.innerHTML = rows.map((r) => `<li>${r}`).join(''); none.hidden = rows.length > 0; };" \
	"const ask = (url, how) => fetch(url, how).then((r) => r.ok ? r.json() : []).catch(() => []);" \
	"const after = (ms) => new Promise((f) => setTimeout(f, ms)); const what = decodeURIComponent(location.search.slice(1));"
#define LIST(script_) "<!doctype html><ul id=ul></ul><p id=none hidden>none</p><script type=module>" SHOW script_ "</script>"

static const struct page pages[] = {
	{ "/plain", LIST("show(['A', 'B'])") },
	{ "/asks", LIST("show(await ask(what))") },
	{ "/posts", LIST("show(await ask(what, { method: 'POST', body: '{}' }))") },
	{ "/whole", LIST("show(await ask('/rows')); await ask(what)") },
	{ "/cut", LIST("show(await ask('/slow?2000', { signal: AbortSignal.timeout(200) }))") },
	{ "/newer", LIST("const c = new AbortController(); ask('/slow?5000&q=a', { signal: c.signal }); await after(300);"
			 "c.abort(); show(await ask('/slow?300&q=ab'))") },
	{ "/again", LIST("let rows = await ask('/flaky'); show(rows); await after(400); show(await ask('/flaky'))") },
	{ "/again-post", LIST("const how = { method: 'POST', body: '{}' }; show(await ask(what, how)); await after(400);"
			      "show(await ask(what, how))") },
	{ "/bare", LIST("await ask(what)") },
	{ "/loading", LIST("show(['Loading ...']); await after(50); show(await ask('/slow?1500'))") },
	{ "/hasty", LIST("show([]); show(await ask('/slow?6500'))") },
	{ "/batches", LIST("ask('/rows').then(show); const more = await ask('/slow?1500'); show(['A', ...more])") },
	{ "/pages", LIST("let all = await ask('/rows'); show(all); for (let i = 0; i < 3; i++) show(all = [...all, ...await ask('/slow?900')])") },
	{ "/meanwhile", LIST("show(['Loading ...']); await after(150); const rows = await ask('/slow?50'); await after(250);"
			     "show([...rows, 'C'])") },
	{ "/ceaseless", LIST("show(['A', 'B']); for (;;) await ask('/slow?400')") },
	{ "/one-by-one", LIST("for (let n = 1; n <= 6; n++) { show(Array(n).fill('A')); await after(200); }") },
	{ "/acts", "<button id=b>Book</button>" LIST("b.onclick = async () => { await ask('/answer?500', { method: 'POST', body: '{}' });"
		   "if (what) await ask(what); b.textContent = 'Booked'; show(['A']); }") },
	{ "/framed", LIST("const f = document.createElement('iframe'); f.src = '/asks?/slow?3000'; document.body.append(f);"
			  "await after(500); f.src = '/plain'; await after(300); show([])") },
};

static int flaky; /* how often it was asked */

static void reply(struct evhttp_request *request, int status, const char *body)
{
	struct evbuffer *out = evbuffer_new();

	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
	if (status == 503)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Retry-After", "7");
	evbuffer_add_printf(out, "%s", body);
	evhttp_send_reply(request, status, "so", out);
	evbuffer_free(out);
}

static int query_number(struct evhttp_request *request)
{
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));

	return query ? atoi(query) : 0;
}

static void answer_rows(struct evhttp_request *request, void *arg)
{
	(void)arg;
	reply(request, 200, "[\"A\"]");
}

static void answer_status(struct evhttp_request *request, void *arg)
{
	(void)arg;
	reply(request, query_number(request), "[]");
}

/* The first time, then not: 503, or what is asked for. */
static void answer_flaky(struct evhttp_request *request, void *arg)
{
	int status = query_number(request);

	(void)arg;
	reply(request, flaky++ ? 200 : status ? status : 503, "[\"A\"]");
}

static void answer_reset(struct evhttp_request *request, void *arg)
{
	struct bufferevent *line = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));

	(void)arg;
	shutdown(bufferevent_getfd(line), SHUT_RDWR);
}

static void on_late(evutil_socket_t fd, short what, void *request)
{
	(void)fd, (void)what;
	reply(request, 200, "[\"B\"]");
}

static void answer_late(struct evhttp_request *request, void *arg)
{
	int ms = query_number(request);
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)arg;
	event_base_once(loop_base(), -1, EV_TIMEOUT, on_late, request, &after);
}

static const struct browser_events events = { .acts = true };

PAGES_RIG(pages, &events, evhttp_set_cb(rig.site, "/rows", answer_rows, NULL); evhttp_set_cb(rig.site, "/answer", answer_status, NULL);
	evhttp_set_cb(rig.site, "/flaky", answer_flaky, NULL); evhttp_set_cb(rig.site, "/reset", answer_reset, NULL);
	evhttp_set_cb(rig.site, "/slow", answer_late, NULL); browser_hear_answers(rig.browser, true);)

#define READ_ROWS "{\"step\": \"read\", \"at\": {\"css\": \"li\"}, \"all\": true, \"cells\": [{\"name\": \"a\"}]," \
	"\"none\": {\"css\": \"#none\"}, \"timeout_ms\": "
#define READ(ms_) READ_ROWS #ms_ "}"
/* What the page shows is there before it is read, however slow the machine is. */
#define SHOWN(css_) "{\"step\": \"wait_for\", \"at\": {\"css\": \"" css_ "\"}, \"timeout_ms\": 30000}"

static struct step_result read_as(enum step_end end, const char *step)
{
	return take(rig.browser, recipe, arena, end, step);
}

static void says(struct step_result r, const char *words)
{
	if (!strstr(r.reason ?: "", words))
		fail_msg("%s: lacks %s", r.reason ?: "", words);
}

/* The page is there, and what it asked for was refused: what it shows then is no list. */
PAGE_TEST(test_list_refused)
{
	static const char *const statuses[] = { "401", "403", "404", "400" };
	struct step_result r;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		go(arena_printf(arena, "/asks?/answer?%s", statuses[i]));
		read_as(STEP_END_DONE, SHOWN("#none"));
		r = read_as(STEP_END_MISSING, READ(2500));
		says(r, arena_printf(arena, "http://a.test/answer, which the page asked for, answers %s", statuses[i]));
		says(r, "in the list's long_polls");
	}
	go("/cut");
	read_as(STEP_END_DONE, SHOWN("#none"));
	says(read_as(STEP_END_MISSING, READ(2500)), "http://a.test/slow, which the page asked for, was broken off by the page itself");
	go("/posts?/answer?404");
	read_as(STEP_END_DONE, SHOWN("#none"));
	says(read_as(STEP_END_MISSING, READ(2500)), "answers 404");
}

/* Rows, too: they may be those that came before, or a word in their place. */
PAGE_TEST(test_list_in_part)
{
	go("/whole?/answer?404");
	read_as(STEP_END_DONE, SHOWN("li"));
	says(read_as(STEP_END_MISSING, READ(2500)), "shows rows, but http://a.test/answer");
	go("/whole?/answer?503");
	read_as(STEP_END_DONE, SHOWN("li"));
	says(read_as(STEP_END_DOWN, READ(2500)), "answers 503");
}

/* What the recipe says is not needed, and what the launcher lets nobody reach. */
PAGE_TEST(test_list_unneeded)
{
	static const char *const refused[] = { "http://tracker.test/beacon", "https://c.test/x", "http://a.test:1/x" };

	go("/whole?/answer?404");
	assert_int_equal(read_as(STEP_END_DONE, READ_ROWS "2500, \"long_polls\": [\"http://a.test/answer*\"]}").row_count, 1);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		go(arena_printf(arena, "/whole?%s", refused[i]));
		assert_int_equal(read_as(STEP_END_DONE, READ(3000)).row_count, 1);
	}
	go("/framed");
	assert_int_equal(read_as(STEP_END_DONE, READ(4000)).row_count, 0);
}

/* Asked again and answered; what a request with a body asked for cannot be told from its address, but for a sign-in renewed. */
PAGE_TEST(test_list_made_good)
{
	flaky = 0;
	go("/again");
	assert_int_equal(read_as(STEP_END_DONE, READ(4000)).row_count, 1);
	go("/newer");
	assert_int_equal(read_as(STEP_END_DONE, READ(4000)).row_count, 1);
	flaky = 0;
	go("/again-post?/flaky?409");
	says(read_as(STEP_END_MISSING, READ(2000)), "answers 409");
	flaky = 0;
	go("/again-post?/flaky?401");
	assert_int_equal(read_as(STEP_END_DONE, READ(3000)).row_count, 1);
	go("/plain");
	assert_int_equal(read_as(STEP_END_DONE, READ(3000)).row_count, 2);
}

/* The site's outage behind a page that loads. */
PAGE_TEST(test_list_down)
{
	static const char *const empty[] = { "/asks?/answer?503", "/asks?/answer?429", "/asks?/reset", "/bare?/answer?500",
		"/bare?/reset" };
	struct step_result r;

	for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++) {
		go(empty[i]);
		r = read_as(STEP_END_DOWN, READ(2500));
		says(r, "Pages is not well: http://a.test/");
		assert_int_equal(r.retry_ms, i == 0 ? 7000 : 0);
	}
}

/* So it is for any step whose element does not come, but for one that need not be there. */
PAGE_TEST(test_step_down)
{
	static const char *const steps[] = { "\"step\": \"click\"", "\"step\": \"fill\", \"value\": \"x\"",
		"\"step\": \"wait_for\"" };

	go("/bare?/answer?503");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		says(read_as(STEP_END_DOWN, arena_printf(arena, "{%s, \"at\": {\"css\": \"#never\"}, \"timeout_ms\": 500}", steps[i])),
			"Pages is not well: http://a.test/answer, which the page asked for, answers 503");
	read_as(STEP_END_MISSING, "{\"step\": \"click\", \"at\": {\"css\": \"#never\"}, \"optional\": true, \"timeout_ms\": 500}");
	go("/bare?/answer?404");
	read_as(STEP_END_MISSING, "{\"step\": \"click\", \"at\": {\"css\": \"#never\"}, \"timeout_ms\": 500}");
}

static void reads_rows(const char *path, size_t count)
{
	go(path);
	assert_int_equal(read_as(STEP_END_DONE, READ(8000)).row_count, count);
}

/* Rows are not all there while what the page asked for has not come. */
PAGE_TEST(test_list_comes)
{
	int64_t began;

	go("/loading");
	assert_string_equal(read_as(STEP_END_DONE, READ(5000)).rows[0].cells[0].value, "B");
	reads_rows("/meanwhile", 2);
	reads_rows("/hasty", 1);
	reads_rows("/batches", 2);
	reads_rows("/pages", 4);
	reads_rows("/ceaseless", 2);
	go("/plain");
	began = loop_now();
	read_as(STEP_END_DONE, READ(5000));
	assert_true(loop_now() - began < 1000); /* two looks, 300 ms apart */
}

/* Without any request: only two looks that agree tell. */
PAGE_TEST(test_two_looks_agree)
{
	reads_rows("/one-by-one", 6);
}

static void acts_on(const char *path)
{
	struct act *act = browser_act(rig.browser);

	go(path);
	assert_int_equal(act_watch(act, deadline_in(5000)), 0);
	read_as(STEP_END_DONE, "{\"step\": \"click\", \"at\": {\"css\": \"#b\"}}");
	assert_int_equal(act_await_held(act, deadline_in(5000), NULL), 0);
	act_send(act);
	assert_int_equal(act_await_answer(act, 200, deadline_in(5000)), 0);
	read_as(STEP_END_DONE, "{\"step\": \"expect\", \"at\": {\"css\": \"#b\"}, \"value\": \"Booked\"}");
}

/* What acts is no request of the list, whatever its answer; the page may say what came of it, so it is not left for an outage. */
PAGE_TEST(test_list_after_act)
{
	acts_on("/acts");
	assert_int_equal(read_as(STEP_END_DONE, READ(3000)).row_count, 1);
	acts_on("/acts?/answer?503");
	read_as(STEP_END_MISSING, "{\"step\": \"wait_for\", \"at\": {\"css\": \"#never\"}, \"timeout_ms\": 500}");
	says(read_as(STEP_END_MISSING, READ(2500)), "http://a.test/answer, which the page asked for, answers 503");
	go("/plain");
	assert_int_equal(read_as(STEP_END_DONE, READ(3000)).row_count, 2);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_refused),
		cmocka_unit_test(test_list_in_part),
		cmocka_unit_test(test_list_unneeded),
		cmocka_unit_test(test_list_made_good),
		cmocka_unit_test(test_list_down),
		cmocka_unit_test(test_step_down),
		cmocka_unit_test(test_list_comes),
		cmocka_unit_test(test_two_looks_agree),
		cmocka_unit_test(test_list_after_act),
	};

	rig_drop_user();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
