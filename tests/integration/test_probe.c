/*
 * What the probe says of a site that is not well, and of one that says "out" once: the site's outage is neither a sign-out
 * nor nothing, and only two looks that agree sign anybody out.
 */
#include "tests/integration/test_pages_rig.h"

#include <errno.h>

#include "common/retry_after.h"
#include "streamd/session/capture.h"
#include "streamd/session/probe.h"
#include "streamd/session/proof.h"
#include "streamd/browser/page.h"

#define IN  "<!doctype html><title>in</title><h1>alice@example.test</h1>"
#define OUT "<!doctype html><title>out</title><h2>Sign in</h2>"

#define KEYED                                                                                      \
	"<!doctype html><title>keyed</title><p id=p></p><script>(async () => {"                    \
	"const asked = (r) => new Promise((y, n) => { r.onsuccess = () => y(r.result); r.onerror = () => n(r.error); });"\
	"const r = indexedDB.open('keys', 1); r.onupgradeneeded = () => r.result.createObjectStore('s');"\
	"const db = await asked(r), store = () => db.transaction('s', 'readwrite').objectStore('s');"\
	"if (location.pathname === '/make') await asked(store().put(await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' },"\
	" false, ['sign']), 'k')), localStorage.made = 1, p.textContent = 'made';"                       \
	"else if (await asked(store().get('k'))) document.body.innerHTML = '<h1>alice@example.test</h1>';"\
	"else location.href = 'http://a.test/login'; })()</script>"

/* A service worker hands out the token that it keeps in Cache Storage; the page has none of its own. */
#define WORKER                                                                                     \
	"oninstall = () => skipWaiting(); onactivate = (e) => e.waitUntil(clients.claim());"      \
	"onfetch = (e) => { if (e.request.url.endsWith('/token')) e.respondWith(caches.match('/kept').then((r) => r ?? new Response('')));"\
	" };"
#define WORKED                                                                                     \
	"<!doctype html><title>worked</title><p id=p></p><script>(async () => {"                   \
	"if (location.pathname === '/keep') await (await caches.open('tokens')).put('/kept', new Response('alice@example.test'));"\
	"await navigator.serviceWorker.register('/sw.js'); await navigator.serviceWorker.ready;"   \
	"if (!navigator.serviceWorker.controller) await new Promise((y) => navigator.serviceWorker.oncontrollerchange = y);"\
	"const token = await (await fetch('/token')).text(); if (!token) location.href = 'http://a.test/login';"\
	"else document.body.innerHTML = '<h1>' + token + '</h1>'; })()</script>"

/* What the site does now, and what it has been asked for. */
static struct {
	int status;              /* of the probe's page */
	const char *retry_after; /* NULL: not said */
	const char *html;        /* of the probe's page */
	int breaks;              /* so many of the next requests for it are answered 204, which breaks a navigation off */
	int flaps;               /* so many of the next requests for it lead to /login */
	int refusals;            /* so many of the next requests for /api/me are answered 401, and the others with api */
	int api;
	const char *said;        /* the body of such an answer; NULL: {} */
	const char *challenge;   /* WWW-Authenticate; NULL: none */
	bool silent;             /* nothing is answered at all */
	int probes, logins, farewells;
} site;

static const struct page no_pages[1];

static void answer_as(struct evhttp_request *request, int status, const char *type, const char *html)
{
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
	evbuffer_add_printf(body, "%s", html);
	evhttp_send_reply(request, status, "As it is", body);
	evbuffer_free(body);
}

static void answer(struct evhttp_request *request, int status, const char *html)
{
	answer_as(request, status, "text/html; charset=utf-8", html);
}

static void lead(struct evhttp_request *request, const char *to)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), "Location", to);
	answer(request, 302, "");
}

static void on_site(struct evhttp_request *request, void *arg)
{
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));

	(void)arg;
	site.farewells += strcmp(path, "/farewell") == 0;
	site.logins += strcmp(path, "/login") == 0;
	if (site.silent)
		return; /* the request stays open until the browser gives it up */
	if (strcmp(path, "/login") == 0) {
		answer(request, 200, OUT "<script>addEventListener('pagehide', () => navigator.sendBeacon('/farewell', 'bye'))</script>");
		return;
	}
	if (strcmp(path, "/api/me") == 0) {
		if (site.retry_after)
			evhttp_add_header(evhttp_request_get_output_headers(request), "Retry-After", site.retry_after);
		answer_as(request, site.refusals-- > 0 ? 401 : site.api, "application/json", site.said ?: "{}");
		return;
	}
	if (strcmp(path, "/sw.js") == 0) {
		answer_as(request, 200, "text/javascript", WORKER);
		return;
	}
	if (strcmp(path, "/keep") == 0) {
		answer(request, 200, WORKED);
		return;
	}
	if (strcmp(path, "/inner") == 0) {
		answer(request, 200, IN);
		return;
	}
	if (strcmp(path, "/make") == 0 || strcmp(path, "/here") == 0 || strcmp(path, "/cookie") == 0) {
		if (strcmp(path, "/make") != 0)
			evhttp_add_header(evhttp_request_get_output_headers(request), "Set-Cookie",
				strcmp(path, "/here") == 0 ? "quick=1; Max-Age=10" : "in=1");
		answer(request, 200, KEYED);
		return;
	}
	if (strcmp(path, "/") != 0) {
		answer(request, 404, OUT);
		return;
	}
	site.probes++;
	if (site.breaks > 0) {
		site.breaks--;
		evhttp_send_reply(request, 204, "No Content", NULL);
		return;
	}
	if (site.flaps > 0) {
		site.flaps--;
		lead(request, "/login");
		return;
	}
	if (site.retry_after)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Retry-After", site.retry_after);
	if (site.challenge)
		evhttp_add_header(evhttp_request_get_output_headers(request), "WWW-Authenticate", site.challenge);
	answer(request, site.status, site.html);
}

static void site_is(int status, const char *html)
{
	memset(&site, 0, sizeof(site));
	site.status = status;
	site.html = html;
}

static struct probed look(void)
{
	struct probed seen;

	assert_int_equal(probe(target_ref_of(browser_page(rig.browser)), recipe, deadline_in(20000), &seen), 0);
	print_message("  %s: %s\n", verdict_word(seen.verdict), seen.why);
	return seen;
}

static void says(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("it does not say \"%s\": %s", what, text);
}

PAGE_TEST(test_in)
{
	site_is(200, IN);
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_IN);
	assert_string_equal(seen.account, "alice@example.test");
	assert_string_equal(seen.why, "");
}

/* A navigation that is broken off says nothing of the session: it is begun once more, and not without end. */
PAGE_TEST(test_broken_off)
{
	int timeout_ms = (int)recipe->probe.timeout_ms;

	site_is(200, IN);
	site.breaks = 1;
	assert_int_equal(look().verdict, VERDICT_IN);
	assert_int_equal(site.probes, 2);
	recipe->probe.timeout_ms = 4000;
	site_is(200, IN);
	site.breaks = 1000;
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	says(seen.why, "net::ERR_ABORTED");
	assert_int_equal(site.probes, 2);
	recipe->probe.timeout_ms = timeout_ms;
}

PAGE_TEST(test_outages)
{
	static const int statuses[] = { 429, 500, 502, 503, 504 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		site_is(statuses[i], OUT);
		struct probed seen = look();
		assert_int_equal(seen.verdict, VERDICT_DOWN);
		assert_int_equal(seen.retry_ms, 0);
		says(seen.why, "Pages is not well: http://a.test/ answers");
		says(seen.why, arena_printf(arena, "%d", statuses[i]));
	}
}

PAGE_TEST(test_error_without_a_page)
{
	site_is(503, "");
	site.retry_after = "7";
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_DOWN);
	assert_int_equal(seen.retry_ms, 7000);
}

PAGE_TEST(test_retry_after)
{
	site_is(503, OUT);
	site.retry_after = "120";
	assert_int_equal(look().retry_ms, 120000);
	site.retry_after = "Wed, 21 Oct 2150 07:28:00 GMT";
	assert_int_equal(look().retry_ms, RETRY_AFTER_MOST_MS);
	site.retry_after = "soon";
	assert_int_equal(look().retry_ms, 0);
}

/* What a site answers to a person is not its outage. */
PAGE_TEST(test_no_such_page)
{
	int timeout_ms = (int)recipe->probe.timeout_ms;

	recipe->probe.timeout_ms = 4000;
	site_is(404, OUT);
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	says(seen.why, "answers 404");
	says(seen.why, "probe.url");
	recipe->probe.timeout_ms = timeout_ms;
}

PAGE_TEST(test_no_connection)
{
	struct recipe_probe was = recipe->probe;

	recipe->probe.url = "http://closed.a.test/";
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_DOWN);
	says(seen.why, "http://closed.a.test/ cannot be reached: the host refused or broke the connection");
	recipe->probe.url = "https://closed.a.test/";
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_DOWN);
	says(seen.why, "cannot be reached");
	recipe->probe.url = "https://c.test/"; /* we do not let it, and that does not pass */
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	says(seen.why, "https://c.test/ could not be opened. It is not among the hosts");
	recipe->probe = was;
}

PAGE_TEST(test_no_answer)
{
	int timeout_ms = (int)recipe->probe.timeout_ms;

	recipe->probe.timeout_ms = 4000;
	site_is(200, IN);
	site.silent = true;
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_DOWN);
	says(seen.why, "http://a.test/ has not answered");
	recipe->probe.timeout_ms = timeout_ms;
	struct step s = step_of(arena, "{\"step\": \"open\", \"url\": \"http://a.test/elsewhere\", \"timeout_ms\": 2000}");
	struct step_result r;
	assert_int_equal(run_step_carry_out(rig.browser, NULL, recipe, &s, arena, &r), 0);
	closep(&r.picture); /* of a page between two documents there may be none */
	assert_int_equal(r.end, STEP_END_DOWN);
	says(r.reason, "http://a.test/elsewhere has not answered");
	cdp_send(browser_cdp(rig.browser), browser_page(rig.browser)->session, "Page.stopLoading");
}

/* An outage of whatever the probe's page leads to. */
PAGE_TEST(test_step)
{
	site_is(503, OUT "<p class=row>x</p>");
	site.retry_after = "9";
	struct step_result r = take(rig.browser, recipe, arena, STEP_END_DOWN, "{\"step\": \"open\", \"url\": \"http://a.test/\"}");
	assert_int_equal(r.retry_ms, 9000);
	says(r.reason, "answers 503");
	r = take(rig.browser, recipe, arena, STEP_END_DOWN,
		"{\"step\": \"read\", \"at\": {\"css\": \".row\"}, \"all\": true, \"cells\": [{\"name\": \"date\"}]}");
	assert_int_equal(r.row_count, 0);
	take(rig.browser, recipe, arena, STEP_END_DOWN, "{\"step\": \"click\", \"at\": {\"css\": \"#b\"}, \"timeout_ms\": 100}");
	site_is(200, "<!doctype html><a id=b href=/login>go</a>");
	take(rig.browser, NULL, arena, STEP_END_DONE, "{\"step\": \"open\", \"url\": \"http://a.test/\"}");
}

static struct state *captured(void)
{
	struct state *s;

	assert_int_equal(capture(rig.browser, NO_TARGET, recipe, deadline_in(20000), &s), 0);
	return s;
}

static struct proof open_run(void)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(60000));
	CLEANUP(state_freep) struct state *s = captured();
	struct browser *b = NULL;
	struct proof p;
	int r = proof_open(call, &rig.settings, recipe, s, "alice@example.test", &no_events, NULL, &p, &b);

	if (r < 0)
		fail_msg("%s", call_why(call, r));
	print_message("  %s: %s\n", verdict_word(p.found.verdict), p.found.why);
	browser_close(b);
	return p;
}

/* One redirect to /login while the session lives. */
PAGE_TEST(test_flap)
{
	site_is(200, IN);
	site.flaps = 1;
	struct proof p = open_run();
	assert_int_equal(p.found.verdict, VERDICT_IN);
	assert_int_equal(site.probes, 2);
	assert_int_equal(site.farewells, 0);
}

PAGE_TEST(test_truly_out)
{
	site_is(200, IN);
	site.flaps = 2;
	struct proof p = open_run();
	assert_int_equal(p.found.verdict, VERDICT_OUT);
	assert_int_equal(site.probes, 2);
	assert_int_equal(site.farewells, 0);
}

/* A signed-in page that greets with a dialog; and one that says in it why nobody is signed in. */
PAGE_TEST(test_greetings)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(60000));
	CLEANUP(state_freep) struct state *s = NULL;
	struct recipe_probe_out was = recipe->probe.out;
	struct selector out = { .css = "h2", .nth = 1 };
	struct proof p;

	site_is(200, IN);
	ok("{\"step\": \"open\", \"url\": \"http://a.test/cookie\"}");
	s = captured();
	recipe->probe.out.at = &out;
	site_is(200, "<!doctype html><script>alert('Welcome back'); const sure = confirm('Take the tour?');"
		     "addEventListener('beforeunload', (e) => e.preventDefault())</script>"
		     "<script>document.write(document.cookie && !sure ? '<h1>alice@example.test</h1>' : '<h2>Sign in</h2>')</script>");
	assert_int_equal(proof_run(call, &rig.settings, recipe, s, NULL, &p), 0); /* without and with the session */
	print_message("  %s: %s\n", verdict_word(p.found.verdict), p.found.why);
	assert_int_equal(p.found.verdict, VERDICT_IN);
	proof_clear(&p);
	site_is(200, "<!doctype html><h2>Sign in</h2><script>alert('You were signed out by a colleague')</script>");
	assert_int_equal(proof_run(call, &rig.settings, recipe, s, NULL, &p), 0);
	assert_int_equal(p.found.verdict, VERDICT_OUT);
	says(p.found.why, "The page said: \"You were signed out by a colleague\"");
	recipe->probe.out = was;
}

#define BELIEVES IN "<script>const ask = () => fetch('/api/me').then((r) => r.status === 401 && setTimeout(ask, 100)); ask()</script>"

/* A page that believes what it has stored itself: what the site says to its requests is what counts. */
PAGE_TEST(test_requests)
{
	const char *patterns[] = { "http://a.test/api/me" };
	struct recipe_probe was = recipe->probe;
	struct probed seen;

	recipe->probe.requests = patterns;
	recipe->probe.requests_count = 1;
	site_is(200, BELIEVES);
	site.api = 200;
	assert_int_equal(look().verdict, VERDICT_IN);
	site.refusals = 2; /* the page comes back with a new token */
	assert_int_equal(look().verdict, VERDICT_IN);
	site.api = 403;
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_OUT);
	says(seen.why, "(http://a.test/api/me answers 403)");
	assert_string_equal(seen.account, "");
	site.api = 503;
	site.retry_after = "3";
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_DOWN);
	assert_int_equal(seen.retry_ms, 3000);
	recipe->probe.timeout_ms = 4000;
	site_is(200, IN);
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	says(seen.why, "has not asked for http://a.test/api/me");
	recipe->probe = was;
}

/* A page that says in many places whose it is, and shows it nowhere. */
#define NAMES                                                                                      \
	"<!doctype html><title>names</title><h1>Welcome</h1><meta name=user content='alice@example.test'>"\
	"<script type=application/json id=boot>{\"user\": {\"id\": 7, \"on\": true}}</script><script>"  \
	"localStorage.me = JSON.stringify({ user: { 'a/b': 'alice@example.test', token: null } });" \
	"const b64 = (o) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(o))))"\
	".replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');"                           \
	"const token = `${b64({ alg: 'none' })}.${b64({ long: 'x'.repeat(300), preferred_username: '\u00e4lice?>~', sub: 12 })}.x`;"\
	"sessionStorage.token = token; localStorage.wrapped = JSON.stringify([{ token }]); localStorage.broken = 'x.y.z';"\
	"document.cookie = 'who=%22al%C3%ADce%22'; fetch('/api/me');</script>"

static struct probed look_for(const struct recipe_account_source *source)
{
	recipe->probe.in.account = (struct recipe_account_source *)source;
	site_is(200, NAMES);
	site.api = 200;
	site.said = "{\"users\": [{\"mail\": \"alice@example.test\"}]}";
	return look();
}

/* Wherever a site says it: what is invisible, stored, encoded, or answered to the page. */
PAGE_TEST(test_account_sources)
{
	struct selector meta = { .css = "meta[name=user]", .nth = 1, .hidden = true }, boot = { .css = "#boot", .nth = 1, .hidden = true };
	struct recipe_item me = { "http://a.test", "me" }, token = { "http://a.test", "token" };
	struct recipe_item wrapped = { "http://a.test", "wrapped" };
	struct recipe_cookie who = { "who", "a.test" };
	const struct {
		struct recipe_account_source source;
		const char *account;
	} rows[] = {
		{ { .at = &meta, .attribute = "content" }, "alice@example.test" },
		{ { .at = &boot, .pointer = "/user/id" }, "7" },
		{ { .local_storage = &me, .pointer = "/user/a~1b" }, "alice@example.test" },
		{ { .session_storage = &token, .claim = "preferred_username" }, "\u00e4lice?>~" },
		{ { .session_storage = &token, .claim = "sub" }, "12" },
		{ { .local_storage = &wrapped, .pointer = "/0/token", .claim = "sub" }, "12" },
		{ { .cookie = &who }, "al\u00edce" },
		{ { .answer = "http://a.test/api/me", .pointer = "/users/0/mail" }, "alice@example.test" },
		{ { .is = "the team" }, "the team" },
	};
	struct recipe_probe was = recipe->probe;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct probed seen = look_for(&rows[i].source);
		assert_int_equal(seen.verdict, VERDICT_IN);
		assert_string_equal(seen.account, rows[i].account);
	}
	recipe->probe = was;
}

/* The mark is there and the name is not, or is none: nothing is known, and what lacks is said. */
PAGE_TEST(test_account_lacks)
{
	struct selector boot = { .css = "#boot", .nth = 1, .hidden = true }, seen_only = { .css = "#boot", .nth = 1 };
	struct recipe_item none = { "http://a.test", "none" }, other = { "http://b.test", "me" }, me = { "http://a.test", "me" };
	struct recipe_item broken = { "http://a.test", "broken" }, token = { "http://a.test", "token" };
	struct recipe_cookie cookie = { "whom", NULL }, elsewhere = { "who", "b.test" };
	const struct {
		struct recipe_account_source source;
		const char *lack;
	} rows[] = {
		{ { .at = &seen_only }, "(account.at) is not there" },
		{ { .at = &boot, .pointer = "/user/on" }, "there is no text at /user/on" },
		{ { .local_storage = &none }, "localStorage has no none of http://a.test" },
		{ { .session_storage = &other }, "no page or frame of http://b.test is there" },
		{ { .local_storage = &me, .pointer = "/user/token" }, "there is no text at /user/token" },
		{ { .local_storage = &me, .claim = "sub" }, "is no JSON Web Token" },
		{ { .local_storage = &broken, .claim = "sub" }, "is no JSON Web Token" },
		{ { .local_storage = &broken, .pointer = "/a" }, "is no JSON" },
		{ { .session_storage = &token }, "what should name the account does not fit as a name." }, /* it is a secret */
		{ { .cookie = &cookie }, "the page has no cookie whom" },
		{ { .cookie = &elsewhere }, "the page has no cookie who" },
		{ { .answer = "http://a.test/api/me", .pointer = "/users/1" }, "there is no text at /users/1" },
		{ { .answer = "http://a.test/api/you" }, "has not asked for http://a.test/api/you" },
	};
	struct recipe_probe was = recipe->probe;

	recipe->probe.timeout_ms = 1200;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct probed seen = look_for(&rows[i].source);
		assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
		assert_string_equal(seen.account, "");
		says(seen.why, rows[i].lack);
	}
	recipe->probe = was;
}

/* Without an element that says it: what the site answers is all that shows that the session works, and it must. */
PAGE_TEST(test_account_answered)
{
	struct recipe_account_source source = { .answer = "http://a.test/api/me", .pointer = "/mail" };
	struct recipe_probe was = recipe->probe;
	struct probed seen;

	recipe->probe.in = (struct recipe_probe_in){ .account = &source };
	site_is(200, NAMES);
	site.api = 200;
	site.said = "{\"mail\": \"alice@example.test\"}";
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_IN);
	assert_string_equal(seen.account, "alice@example.test");
	site.api = 401;
	assert_int_equal(look().verdict, VERDICT_OUT);
	site.api = 503;
	assert_int_equal(look().verdict, VERDICT_DOWN);
	site.api = 200;
	site.said = "{\"logout\": 1}";
	recipe->probe.timeout_ms = 1500;
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	says(seen.why, "there is no text at /mail");
	recipe->probe = was;
}

/* Several marks: all that must be there besides, and any that says that nobody is signed in. */
PAGE_TEST(test_several_marks)
{
	struct selector all[] = { { .css = "title", .nth = 1, .hidden = true }, { .css = "#more", .nth = 1 } };
	struct selector any[] = { { .css = "#never", .nth = 1 }, { .css = "h2", .nth = 1 },
		{ .css = "p", .frame = "http://a.test/login*", .nth = 1 } };
	struct recipe_probe was = recipe->probe;
	struct probed seen;

	recipe->probe.in.all = all;
	recipe->probe.in.all_count = 2;
	recipe->probe.out = (struct recipe_probe_out){ .any = any, .any_count = 3 };
	site_is(200, IN "<script>setTimeout(() => document.body.append(Object.assign(document.createElement('b'), { id: 'more', textContent: 'x' })), 700)</script>");
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_IN);
	site_is(200, OUT);
	assert_int_equal(look().verdict, VERDICT_OUT);
	site_is(200, "<!doctype html><iframe src=/inner></iframe>");
	recipe->probe.timeout_ms = 1200;
	assert_int_equal(look().verdict, VERDICT_INCONCLUSIVE);
	site_is(200, IN);
	seen = look();
	assert_int_equal(seen.verdict, VERDICT_INCONCLUSIVE);
	says(seen.why, "#more, one of its probe's marks, is not there");
	any[2].frame = "http://a.test/inner";
	any[2].css = "h1";
	site_is(200, "<!doctype html><iframe src=/inner></iframe>");
	assert_int_equal(look().verdict, VERDICT_OUT);
	recipe->probe = was;
}

/* Each mark is looked for in the frame that it names: whose account it is in one, that there is none on the page itself. */
PAGE_TEST(test_marks_in_frames)
{
	struct selector in = { .css = "h1", .frame = "http://a.test/inner", .nth = 1 }, out = { .css = "h2", .nth = 1 };
	struct recipe_probe was = recipe->probe;

	recipe->probe.in.at = &in;
	recipe->probe.out.at = &out;
	site_is(200, "<!doctype html><p>Welcome</p><iframe src=/inner></iframe>");
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_IN);
	assert_string_equal(seen.account, "alice@example.test");
	site_is(200, OUT);
	assert_int_equal(look().verdict, VERDICT_OUT);
	site_is(200, OUT "<iframe src=/inner></iframe><script>document.querySelector('h2').hidden = true;"
			 "setTimeout(() => document.querySelector('iframe').remove(), 0);"
			 "setTimeout(() => document.querySelector('h2').hidden = false, 400)</script>");
	assert_int_equal(look().verdict, VERDICT_OUT);
	recipe->probe.in.at = &out;
	recipe->probe.out.at = &in;
	site_is(200, "<!doctype html><iframe src=/inner></iframe>");
	assert_int_equal(look().verdict, VERDICT_OUT);
	recipe->probe = was;
}

/* The second look at a site that has gone meanwhile. */
PAGE_TEST(test_out_then_down)
{
	site_is(503, OUT);
	site.flaps = 1;
	site.retry_after = "5";
	struct proof p = open_run();
	assert_int_equal(p.found.verdict, VERDICT_DOWN);
	assert_int_equal(p.found.retry_ms, 5000);
}

/* What nobody but the browser that was signed in with has; to sign in again would only lead round in a circle. */
PAGE_TEST(test_key_of_the_browser)
{
	const char *was = recipe->probe.url;

	site_is(200, KEYED);
	recipe->probe.url = "http://a.localhost/";
	ok("{\"step\": \"open\", \"url\": \"http://a.localhost/make\"}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"made\"}");
	assert_int_equal(look().verdict, VERDICT_IN);
	struct proof p = open_run();
	assert_int_equal(p.found.verdict, VERDICT_OUT);
	says(p.not_portable, "http://a.localhost keeps a key that cannot leave the browser in IndexedDB (database keys, store s)");
	says(p.found.why, p.not_portable);
	says(p.advice, "would end the same way");
	recipe->probe.url = was;
}

PAGE_TEST(test_service_worker)
{
	const char *was = recipe->probe.url;

	site_is(200, WORKED);
	recipe->probe.url = "http://a.localhost/";
	ok("{\"step\": \"open\", \"url\": \"http://a.localhost/keep\"}");
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"h1\"}}");
	struct proof p = open_run();
	recipe->probe.url = was;
	assert_int_equal(p.found.verdict, VERDICT_IN);
}

PAGE_TEST(test_http_authentication)
{
	int timeout_ms = (int)recipe->probe.timeout_ms;

	site_is(401, OUT);
	site.challenge = "Basic realm=\"x\"";
	struct probed seen = look();
	assert_int_equal(seen.verdict, VERDICT_OUT);
	says(seen.why, "answers 401");
	says(seen.not_portable, "HTTP authentication");
	site.challenge = NULL; /* a page of the site's own, which may lead on yet */
	recipe->probe.timeout_ms = 4000;
	seen = look();
	recipe->probe.timeout_ms = timeout_ms;
	assert_int_equal(seen.verdict, VERDICT_OUT);
	assert_null(seen.not_portable);
}

PAGE_TEST(test_fleeting_cookie)
{
	site_is(200, IN);
	ok("{\"step\": \"open\", \"url\": \"http://a.test/here\"}");
	site.flaps = 2;
	struct proof p = open_run();
	assert_int_equal(p.found.verdict, VERDICT_OUT);
	says(p.found.why, "cookie quick lives for");
}

/* A page that is routed by its fragment: a browser's first document, another place of it, the same one again, an error page. */
PAGE_TEST(test_fragments)
{
	static const struct {
		const char *url;
		int r;
	} rows[] = { { "http://a.test/#/who", 0 }, { "http://a.test/#/elsewhere", 0 }, { "http://a.test/#/elsewhere", 0 },
		{ "http://a.test/#", 0 }, { "http://a.test/", 0 }, { "about:blank", 0 }, { "http://a.test/#/who", 0 },
		{ "https://closed.a.test/#/x", -EREMOTE }, { "https://closed.a.test/#/y", -EREMOTE },
		{ "http://a.test/#/who", 0 } };
	char why[256];

	site_is(200, IN);
	close_browser(NULL);
	open_browser((void *)&no_events);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int r = page_navigate(target_ref_of(browser_page(rig.browser)), rows[i].url, deadline_in(15000), why, sizeof(why));
		if (r != rows[i].r)
			fail_msg("%s: %s (%s)", rows[i].url, strerror(-r), why);
	}
	recipe->probe.url = "http://a.test/#/who"; /* asked for again after it has been left, not only moved to */
	site_is(200, IN);
	site.flaps = 1;
	assert_int_equal(open_run().found.verdict, VERDICT_IN);
	assert_int_equal(site.probes, 2);
	recipe->probe.url = "http://a.test/";
}

/* A site of one's own machine, at a port of its own, as docs/recipes.md has it. */
PAGE_TEST(test_own_site)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(60000));
	const struct environment e = { .width = 1280, .height = 800 };
	const struct recipe *own = NULL;
	struct browser *b = NULL;
	struct probed seen;
	char why[512];
	char *text = arena_printf(arena,
		"{\"title\": \"Own\", \"home\": \"http://localhost:%d/\", \"sign_in\": {\"url\": \"http://localhost:%d/login\"},"
		"\"hosts\": [\"localhost:%d\"], \"private_addresses\": [\"127.0.0.1\"], \"signed_in\": {\"url\": [\"http://localhost:%d/*\"]},"
		"\"probe\": {\"url\": \"http://localhost:%d/\", \"in\": {\"at\": {\"css\": \"h1\"}}, \"out\": {\"at\": {\"css\": \"h2\"}}}}",
		rig.port, rig.port, rig.port, rig.port, rig.port);

	site_is(200, IN);
	if (recipe_parse("own.json", text, strlen(text), &own, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_int_equal(browser_open(call, &rig.settings, own, &e, false, &no_events, NULL, &b), 0);
	assert_int_equal(probe(target_ref_of(browser_page(b)), own, deadline_in(20000), &seen), 0);
	print_message("  %s: %s\n", verdict_word(seen.verdict), seen.why);
	browser_close(b);
	recipe_unref(own);
	assert_int_equal(seen.verdict, VERDICT_IN);
}

PAGES_RIG(no_pages, &no_events, evhttp_set_gencb(rig.site, on_site, NULL); recipe->probe.second_look_ms = 100;)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in),
		cmocka_unit_test(test_broken_off),
		cmocka_unit_test(test_outages),
		cmocka_unit_test(test_error_without_a_page),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_no_such_page),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_flap),
		cmocka_unit_test(test_truly_out),
		cmocka_unit_test(test_out_then_down),
		cmocka_unit_test(test_greetings),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_account_sources),
		cmocka_unit_test(test_account_lacks),
		cmocka_unit_test(test_account_answered),
		cmocka_unit_test(test_several_marks),
		cmocka_unit_test(test_marks_in_frames),
		cmocka_unit_test(test_key_of_the_browser),
		cmocka_unit_test(test_service_worker),
		cmocka_unit_test(test_http_authentication),
		cmocka_unit_test(test_fleeting_cookie),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_own_site),
	};

	rig_drop_user();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
