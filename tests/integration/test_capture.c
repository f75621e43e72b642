/*
 * What a capture takes along, what it leaves out and says so, and how long it may take over pages that hold on to what they
 * have: nothing that one page does keeps the rest of a session from being kept.
 */
#include "tests/integration/test_pages_rig.h"

#include <errno.h>

#include "streamd/session/capture.h"
#include "streamd/session/restore.h"

#define SECURE "http://a.localhost" /* where there are keys and caches without a certificate */

#define BASE                                                                                       \
	"<!doctype html><h1 id=h>alice</h1><p id=p>wait</p><script>"                               \
	"const asked = (r) => new Promise((y, n) => { r.onsuccess = () => y(r.result); r.onerror = () => n(r.error); });"\
	"const opened = (name, version, make) => { const r = indexedDB.open(name, version);"      \
	" r.onupgradeneeded = () => make?.(r.result); return asked(r); };"                         \
	"const store = (db, mode) => db.transaction('s', mode).objectStore('s');"                  \
	"const put = async (name, all) => { const db = await opened(name, 1, (db) => db.createObjectStore('s'));"\
	" for (const [k, v] of Object.entries(all)) await asked(store(db, 'readwrite').put(v, k)); db.close(); };"\
	"const get = async (name, k) => { const db = await opened(name); const v = await asked(store(db).get(k)); db.close(); return v; };"
#define END "</script>"

static const struct page pages[] = {
	{ "/hold", BASE "(async () => { await put('good', { token: 't1' }); await put('held', { token: 't2' });"
			" globalThis.kept = await opened('held'); opened('held', 2); opened('held', 3);"
			" document.cookie = 'a=1'; p.textContent = 'ready'; })();" END },
	{ "/busy", BASE "(async () => { await put('good', { token: 't1' }); const db = await opened('held', 1, (db) =>"
			" db.createObjectStore('s')); const s = store(db, 'readwrite'); const more = () => { s.put(1, 'x').onsuccess = more; };"
			" more(); p.textContent = 'ready'; })();" END },
	{ "/plain", BASE "(async () => { await put('good', { token: 't1' }); await put('held', { token: 't2' });"
			 " p.textContent = 'ready'; })();" END },
	{ "/files", BASE "(async () => { await put('files', { b: new Blob(['token'], { type: 'text/x' }), same: (() => { const x ="
			 " new Blob(['x']); return [x, x]; })(), f: new File(['name'], 'n.txt', { type: 'a/b', lastModified: 7 }), n: 1 });"
			 " p.textContent = 'ready'; })();" END },
	{ "/files-there", BASE "(async () => { const b = await get('files', 'b'), f = await get('files', 'f'), s = await get('files',"
			       " 'same'); p.textContent = [await b.text(), b.type, await f.text(), f.name, f.type, f.lastModified, s[0] === s[1],"
			       " await get('files', 'n')].join(); })();" END },
	{ "/keys", BASE "(async () => { const made = (extractable) => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' },"
			" extractable, ['sign', 'verify']); await put('keys', { open: await made(true), closed: await made(false), n: 1 });"
			" await put('hmac', { k: await crypto.subtle.importKey('raw', new Uint8Array([1, 2, 3]), { name: 'HMAC', hash: 'SHA-256' },"
			" true, ['sign']) });"
			" p.textContent = 'ready'; })();" END },
	{ "/keys-there", BASE "(async () => { const { privateKey: own, publicKey } = await get('keys', 'open'); const data = new Uint8Array(9);"
			      " const by = { name: 'ECDSA', hash: 'SHA-256' }, mac = await get('hmac', 'k');"
			      " p.textContent = [await crypto.subtle.verify(by, publicKey, await crypto.subtle.sign(by, own, data), data),"
			      " await get('keys', 'closed') === undefined, await get('keys', 'n'),"
			      " (await crypto.subtle.sign('HMAC', mac, data)).byteLength].join(); })();" END },
	{ "/caches", BASE "(async () => { const c = await caches.open('tokens'); await c.put('/token', new Response('s3cr3t', { status: 201,"
			  " headers: { 'X-Kind': 'token' } })); await c.add('/here'); await c.put('/big', new Response('x'.repeat(300000)));"
			  " p.textContent = 'ready'; })();" END },
	{ "/caches-there", BASE "(async () => { const r = await caches.match('/token'); p.textContent = [r?.status, r?.headers.get('X-Kind'),"
				" await r?.text(), Boolean(await caches.match('/here'))].join(); })();" END },
	{ "/worker", BASE "const w = new SharedWorker('/shared.js?code=s3cr3t'); w.port.onmessage = () => p.textContent = 'ready'; w.port.start();" END },
	{ "/hang", BASE "localStorage.x = 'y'; p.textContent = 'ready'; h.onclick = () => { for (;;); };" END },
	{ "/here", BASE "localStorage.here = 'here'; p.textContent = 'ready';" END },
};

static void on_worker(struct evhttp_request *request, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/javascript");
	evbuffer_add_printf(body, "onconnect = (e) => e.ports[0].postMessage('here')");
	evhttp_send_reply(request, 200, "OK", body);
	evbuffer_free(body);
}

static void at(const char *origin, const char *path)
{
	ok(arena_printf(arena, "{\"step\": \"open\", \"url\": \"%s%s\"}", origin, path));
}

static void reads(const char *want)
{
	ok(arena_printf(arena, "{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"%s\", \"timeout_ms\": 10000}", want));
}

static void set_network(struct browser *b, bool open)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(10000));

	assert_int_equal(browser_set_network(b, call, open), 0);
}

/* Of a browser whose network is cut; ms: how long it may take. */
static struct state *captured(const struct state *before, int64_t ms)
{
	int64_t began = loop_now();
	struct state *s;

	set_network(rig.browser, false);
	assert_int_equal(capture_whole(rig.browser, NO_TARGET, recipe, before, deadline_in(60000), &s), 0);
	set_network(rig.browser, true);
	print_message("  captured in %lld ms\n", (long long)(loop_now() - began));
	if (loop_now() - began > ms)
		fail_msg("it took %lld ms", (long long)(loop_now() - began));
	return s;
}

static bool has(const struct state *s, const char *origin, const char *text)
{
	for (size_t i = 0; i < state_area_count(s); i++) {
		const struct area *a = state_area(s, i);
		const char *databases = cbor_text_utf8(arena, a->databases), *caches = cbor_text_utf8(arena, a->caches);
		if (strcmp(a->chain[0], origin) == 0 &&
			((databases && strstr(databases, text)) || (caches && strstr(caches, text))))
			return true;
	}
	return false;
}

static void leaves_out(const struct state *s, const char *what)
{
	char all[4096];
	bool any = state_left_out(s, all, sizeof(all));

	print_message("  left out: %s\n", all);
	assert_int_equal(any, what != NULL);
	if (what && !strstr(all, what))
		fail_msg("it does not say \"%s\": %s", what, all);
}

static void new_browser(void)
{
	close_browser(NULL);
	open_browser((void *)&no_events);
}

/* Brings a state into a fresh browser. */
static void carry(const struct state *s)
{
	char why[512];

	new_browser();
	set_network(rig.browser, false);
	if (restore(target_ref_of(browser_page(rig.browser)), s, deadline_in(30000), why, sizeof(why)) != 0)
		fail_msg("%s", why);
	set_network(rig.browser, true);
}

/* An open without a version waits for ever behind an upgrade that is blocked, and so does a reading behind a transaction. */
PAGE_TEST(test_held)
{
	static const char *const paths[] = { "/hold", "/busy" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		CLEANUP(state_freep) struct state *s = NULL, *before = NULL, *again = NULL;
		new_browser();
		at("http://a.test", paths[i]);
		reads("ready");
		s = captured(NULL, 9000);
		assert_true(has(s, "http://a.test", "\"t1\""));
		assert_false(has(s, "http://a.test", "\"t2\""));
		leaves_out(s, "http://a.test keeps something that one of its pages does not let go of in IndexedDB (database held)");
		carry(s); /* the rest is a session all the same */
	}
}

/* What is held at the end of a run was there at its beginning. */
PAGE_TEST(test_held_but_known)
{
	CLEANUP(state_freep) struct state *before = NULL, *after = NULL;

	new_browser();
	at("http://a.test", "/plain");
	reads("ready");
	before = captured(NULL, 5000);
	leaves_out(before, NULL);
	at("http://a.test", "/hold");
	reads("ready");
	after = captured(before, 9000);
	assert_true(has(after, "http://a.test", "\"t1\""));
	assert_true(has(after, "http://a.test", "\"t2\""));
	leaves_out(after, "database held");
	carry(after);
}

PAGE_TEST(test_files)
{
	CLEANUP(state_freep) struct state *s = NULL;

	new_browser();
	at("http://a.test", "/files");
	reads("ready");
	s = captured(NULL, 5000);
	leaves_out(s, NULL);
	carry(s);
	at("http://a.test", "/files-there");
	reads("token,text/x,name,n.txt,a/b,7,true,1");
}

PAGE_TEST(test_keys)
{
	CLEANUP(state_freep) struct state *s = NULL;

	new_browser();
	at(SECURE, "/keys");
	reads("ready");
	s = captured(NULL, 5000);
	leaves_out(s, SECURE " keeps a key that cannot leave the browser in IndexedDB (database keys, store s)");
	carry(s);
	at(SECURE, "/keys-there");
	reads("true,true,1,32");
}

PAGE_TEST(test_caches)
{
	CLEANUP(state_freep) struct state *s = NULL, *again = NULL;

	new_browser();
	at(SECURE, "/caches");
	reads("ready");
	s = captured(NULL, 5000);
	assert_false(has(s, SECURE, "/here")); /* a page is fetched anew */
	leaves_out(s, SECURE " keeps more than can be taken along in Cache Storage (tokens)");
	carry(s);
	at(SECURE, "/caches-there");
	reads("201,token,s3cr3t,false");
	again = captured(s, 5000);
	assert_true(has(again, SECURE, "/token"));
}

PAGE_TEST(test_shared_worker)
{
	CLEANUP(state_freep) struct state *s = NULL;
	char all[1024];

	new_browser();
	at("http://a.test", "/worker");
	reads("ready");
	s = captured(NULL, 5000);
	leaves_out(s, "a SharedWorker (http://a.test/shared.js) keeps what is in its memory");
	state_left_out(s, all, sizeof(all));
	assert_null(strstr(all, "s3cr3t"));
}

/* A page that hangs takes nothing but its own with it. */
PAGE_TEST(test_hung_page)
{
	CLEANUP(state_freep) struct state *before = NULL, *s = NULL;

	new_browser();
	at("http://b.test", "/here");
	reads("ready");
	at("http://a.test", "/hang");
	reads("ready");
	before = captured(NULL, 5000);
	take(rig.browser, NULL, arena, STEP_END_FAILED, "{\"step\": \"click\", \"at\": {\"css\": \"h1\"}, \"timeout_ms\": 100}");
	s = captured(before, 18000);
	leaves_out(s, "does not answer");
	assert_int_equal(state_area_count(s), state_area_count(before));
}

/* A profile without room: what could not be written is said, and why. */
PAGE_TEST(test_no_room)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(60000));
	CLEANUP(state_freep) struct state *s = NULL;
	char why[512];

	new_browser();
	at("http://a.test", "/plain");
	reads("ready");
	s = captured(NULL, 5000);
	new_browser();
	set_network(rig.browser, false);
	assert_int_equal(cdp_call(browser_cdp(rig.browser), browser_page(rig.browser)->session, "Storage.overrideQuotaForOrigin",
		deadline_in(20000), NULL, CDP_TEXT("origin", "http://a.test"), CDP_INT("quotaSize", 1)), 0);
	assert_int_equal(restore(target_ref_of(browser_page(rig.browser)), s, deadline_in(30000), why, sizeof(why)), -ENOSPC);
	assert_non_null(strstr(why, "IndexedDB of http://a.test/ could not be written (QuotaExceededError"));
	browser_room_words(rig.browser, call, why, sizeof(why));
	assert_non_null(strstr(why, " MB are free on the server."));
	print_message("  %s\n", why);
}

PAGES_RIG(pages, &no_events, evhttp_set_cb(rig.site, "/shared.js", on_worker, NULL);)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_held_but_known),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_caches),
		cmocka_unit_test(test_shared_worker),
		cmocka_unit_test(test_hung_page),
		cmocka_unit_test(test_no_room),
	};

	rig_drop_user();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
