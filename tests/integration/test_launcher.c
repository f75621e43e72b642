/*
 * stead-launcher with a real Chromium: it starts in its sandbox and its network namespace, reaches
 * what it may and nothing else, and leaves neither a process nor a profile behind, however it ends.
 */
#include "tests/integration/test_launcher_rig.h"

#include <event2/http.h>
#include <event2/buffer.h>

static struct rig rig;
static struct evhttp *site;
static int site_port, pages_served;
static struct evhttp_request *endless; /* a response that is still going on */
static bool endless_closed;

static void on_endless_closed(struct evhttp_connection *connection, void *arg)
{
	(void)connection, (void)arg;
	endless_closed = true;
}

static void on_request(struct evhttp_request *request, void *arg)
{
	CLEANUP(freep) char *text = NULL;
	struct evbuffer *body = evbuffer_new();
	const char *host = evhttp_request_get_host(request);

	(void)arg;
	pages_served += strcmp(evhttp_request_get_uri(request), "/favicon.ico") !=
			0; /* that comes when it likes */
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/html");
	if (strcmp(evhttp_request_get_uri(request), "/endless") == 0) {
		endless = request;
		evhttp_connection_set_closecb(
			evhttp_request_get_connection(request), on_endless_closed, NULL);
		evhttp_send_reply_start(request, 200, "OK");
		evbuffer_add_printf(body, "begun");
		evhttp_send_reply_chunk(request, body);
	} else {
		size_t n = evbuffer_get_length(evhttp_request_get_input_buffer(request));
		evbuffer_add_printf(body, "<!doctype html><title>at %s</title><p>%zu bytes",
			host ? host : "?", n);
		evhttp_send_reply(request, 200, "OK", body);
	}
	evbuffer_free(body);
}

static int set_up(void **state)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	(void)state;
	memset(&rig, 0, sizeof(rig));
	loop_init();
	rig_root(&rig);
	site = evhttp_new(loop_base());
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(site, "127.0.0.1", 0);
	assert_non_null(bound);
	assert_int_equal(
		getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&a, &n), 0);
	site_port = ntohs(a.sin_port);
	evhttp_set_gencb(site, on_request, NULL);
	pages_served = 0;
	endless = NULL;
	endless_closed = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	evhttp_free(site);
	fiber_drop_stacks();
	loop_deinit();
	return rmdir(rig.root); /* fails if anything was left */
}

static void run(void (*fn)(void *))
{
	struct fiber *f = NULL;

	fiber_start("test", fn, NULL, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
}

/*
 * desk.test and sso.test are the site's, both on this machine; trap.test is pinned where nobody may
 * go.
 */
static const char *hosts[] = {"desk.test", "*.sso.test", "trap.test", "gone.test"};
static const char *private_addresses[] = {"127.0.0.1"};
static char pin_desk[64], pin_sso[64];
static const char *pins[] = {
	pin_desk, pin_sso, "trap.test=169.254.169.254:80", "gone.test=127.0.0.1:1"};

static struct browser_start_params plan(void)
{
	snprintf(pin_desk, sizeof(pin_desk), "desk.test=127.0.0.1:%d", site_port);
	snprintf(pin_sso, sizeof(pin_sso), "login.sso.test=127.0.0.1:%d", site_port);
	return (struct browser_start_params){ .chromium = CHROMIUM,
		.hosts = hosts,
		.hosts_count = 4,
		.private_addresses = private_addresses,
		.private_addresses_count = 1,
		.pins = pins,
		.pins_count = 4,
		.width = 1280,
		.height = 720,
		.languages = "de-DE,de,en",
		.time_zone = "Europe/Berlin"};
}

/* The same with a name for the browser to go by, so that it is not asked for its version first. */
static struct browser_start_params named_plan(void)
{
	struct browser_start_params p = plan();

	p.user_agent = "Mozilla/5.0 (test)";
	return p;
}

/* A launcher with a browser; its pid. */
static pid_t start_browser(struct browser_start_params *p)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_result result;
	int64_t began = loop_now();

	rig_launch(&rig, false);
	int r = rig_start(&rig, call, p, &result);
	if (r != 0)
		fail_msg("%s", call_why(call, r));
	const struct cbor *version = rig_cdp(&rig, "Browser.getVersion", NULL, NULL);
	print_message("first answer after %lld ms: %s\n", (long long)(loop_now() - began),
		cbor_get_utf8(rig.arena, version, "product"));
	assert_non_null(strstr(cbor_get_utf8(rig.arena, version, "product"), "Chrom"));
	assert_non_null(strstr(result.user_agent, p->user_agent ? p->user_agent : " Chrome/"));
	assert_string_equal(cbor_get_utf8(rig.arena, version, "userAgent"), result.user_agent);
	return (pid_t)result.pid;
}

/* The same, attached to its page. */
static void start_page(struct browser_start_params *p)
{
	start_browser(p);
	rig_attach(&rig);
}

static void expect_title(const char *url, const char *title)
{
	assert_null(rig_navigate(&rig, url));
	assert_string_equal(rig_evaluate(&rig, "document.title"), title);
}

/* For plain http our own text is the page. */
static void expect_sentence(const char *url, const char *part)
{
	assert_null(rig_navigate(&rig, url));
	assert_non_null(strstr(rig_evaluate(&rig, "document.body.innerText"), part));
}

static int set_egress(bool open)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	struct egress_set_params p = { .open = open };
	struct egress_set_result result;

	return call_egress_set(call, rig.peer, &p, &result);
}

static struct peer_stream *watch_browser(struct call *call)
{
	struct browser_watch_params none = {};
	struct peer_stream *watch;

	assert_int_equal(open_browser_watch(call, rig.peer, &none, &watch), 0);
	return watch;
}

static void expect_gone(const struct process *all, size_t n)
{
	print_message("%zu processes gone after %lld ms\n", n, (long long)process_gone(all, n));
}

/* The launcher ends by itself once its client has gone. */
static void hang_up(void)
{
	rig.peer = peer_free(rig.peer);
	assert_int_equal(rig_wait(&rig), 0);
	rig_close(&rig);
}

/* Ends it the usual way, with everything checked. */
static void end_all(void)
{
	struct process all[MOST_PIDS];
	size_t n = process_tree(rig.pid, all, 0);

	assert_true(n >= 4); /* browser, zygotes, renderer ... */
	rig.peer = peer_free(rig.peer);
	expect_gone(all, n);
	assert_int_equal(rig_wait(&rig), 0);
	assert_int_equal(directory_count(rig.root), 0);
	rig_close(&rig);
}

static void namespace_of(pid_t pid, char *text, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	n = readlink(path, text, size - 1);
	assert_true(n > 0);
	text[n] = '\0';
}

static void sandbox(void *arg)
{
	struct browser_start_params p = plan();
	pid_t pid = start_browser(&p);
	struct process all[MOST_PIDS];
	size_t n, renderers = 0;
	char theirs[64], ours[64];

	(void)arg;
	rig_attach(&rig);
	assert_null(rig_navigate(&rig, "http://desk.test/")); /* its renderer has closed its sandbox
								 when it shows a page */
	n = process_tree(rig.pid, all, 0);
	for (size_t i = 0; i < n; i++) {
		assert_false(process_has(all[i].pid, "cmdline", "--no-sandbox"));
		assert_true(process_has(all[i].pid, "status", "NoNewPrivs:\t1"));
		if (!process_has(all[i].pid, "cmdline", "--type=renderer"))
			continue;
		renderers++;
		assert_true(process_has(all[i].pid, "status", "Seccomp:\t2"));
		assert_true(process_has(all[i].pid, "status", "CapEff:\t0000000000000000"));
	}
	assert_true(renderers >= 1);
	assert_true(process_has(pid, "status", "CapEff:\t0000000000000000"));
	namespace_of(pid, theirs, sizeof(theirs));
	namespace_of(getpid(), ours, sizeof(ours));
	assert_string_not_equal(theirs, ours);
	end_all();
}

/* Chromium's window has hidden pages of its own otherwise, which cost more than the site's. */
static void only_its_page(void *arg)
{
	struct browser_start_params p = plan();
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *targets;

	(void)arg;
	start_page(&p);
	expect_title("http://desk.test/", "at desk.test");
	*rig.session = '\0';
	targets = cbor_get(rig_cdp(&rig, "Target.getTargets", NULL, NULL), "targetInfos");
	assert_int_equal(cbor_count(targets), 1);
	assert_string_equal(cbor_get_utf8(arena, cbor_at(targets, 0), "type"), "page");
	end_all();
}

static void reaches_its_hosts(void *arg)
{
	struct browser_start_params p = named_plan();

	(void)arg;
	start_page(&p);
	expect_title("http://desk.test/", "at desk.test");
	expect_title("http://login.sso.test/x", "at login.sso.test");
	assert_int_equal(pages_served, 2);
	assert_string_equal(rig_evaluate(&rig, "Intl.DateTimeFormat().resolvedOptions().timeZone"),
		"Europe/Berlin");
	assert_string_equal(rig_evaluate(&rig, "navigator.userAgent"), "Mozilla/5.0 (test)");
	assert_string_equal(rig_evaluate(&rig, "navigator.languages.join()"), "de-DE,de,en");
	assert_string_equal(rig_evaluate(&rig, "innerWidth + 'x' + innerHeight"), "1280x720");
	assert_string_equal(
		rig_evaluate(&rig,
			"fetch('/big', {method: 'POST', body: 'x'.repeat(3000000)}).then(r "
			"=> r.text()).then(t => t.split('<p>')[1])"),
		"3000000 bytes");
	end_all();
}

struct refusal_wanted {
	const char *url, *host, *why;
};

static void expect_refused(struct peer_stream *watch, const struct refusal_wanted *wanted)
{
	struct browser_watch_item item;

	assert_null(rig_navigate(&rig, wanted->url)); /* for plain http our own text is the page */
	assert_string_equal(rig_evaluate(&rig, "document.body.innerText.slice(0, 7)"), "Stead: ");
	assert_int_equal(next_browser_watch(watch, &item, deadline_in(20000)), 0);
	assert_string_equal(item.refused_host, wanted->host);
	if (!strstr(item.refused_why, wanted->why))
		fail_msg("%s: %s", item.refused_host, item.refused_why);
}

static void refuses_all_others(void *arg)
{
	static const struct refusal_wanted wanted[] = {
		{"http://169.254.169.254/latest/meta-data/", "169.254.169.254", "not among"},
		{"http://127.0.0.1/", "127.0.0.1", "not among"},
		{"http://[::1]/", "[::1]", "not among"},
		{"http://localhost/", "localhost", "not among"},
		{"http://other.test/", "other.test", "not among"},
		{"http://sso.test/", "sso.test", "not among"},
		{"http://trap.test/", "trap.test", "cloud's metadata"},
		{"http://www.desk.test:8080/", "www.desk.test", "not among"},
	};
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_params p = named_plan();
	struct peer_stream *watch;
	char own[64];

	(void)arg;
	start_page(&p);
	watch = watch_browser(call);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		expect_refused(watch, &wanted[i]);
	snprintf(own, sizeof(own), "http://127.0.0.1:%d/",
		site_port); /* a port of this machine, not of the namespace */
	assert_null(rig_navigate(&rig, own));
	assert_null(rig_navigate(&rig, "http://other.test/again"));
	assert_non_null(
		rig_navigate(&rig, "https://desk.test:8443/")); /* a CONNECT has no page to show */
	struct browser_watch_item item;
	assert_int_equal(next_browser_watch(watch, &item, deadline_in(20000)),
		0); /* known hosts were not said again */
	assert_string_equal(item.refused_host, "desk.test");
	assert_non_null(strstr(item.refused_why, "port 8443"));
	expect_sentence("http://gone.test/", "refuses connections");
	assert_int_equal(pages_served, 0);
	peer_stream_close(watch);
	end_all();
}

/* A link that opens an app is refused by Chromium at once, since it takes itself for what opens it; and that is told. */
static void refuses_apps(void *arg)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_params p = named_plan();
	struct browser_watch_item item;
	struct peer_stream *watch;

	(void)arg;
	start_page(&p);
	watch = watch_browser(call);
	expect_title("http://desk.test/", "at desk.test");
	assert_string_equal(rig_evaluate(&rig,
		"(f => { f.src = 'okta-verify:x?code=secret'; document.body.append(f); return 'there' })(document.createElement('iframe'))"),
		"there");
	assert_int_equal(next_browser_watch(watch, &item, deadline_in(20000)), 0);
	assert_string_equal(item.refused_app, "okta-verify");
	assert_null(item.refused_host);
	peer_stream_close(watch);
	end_all();
}

/*
 * A name that is not pinned is looked up: what it leads to is checked, and a missing one has a
 * sentence.
 */
static void looks_up(void *arg)
{
	static char pattern[32], url[48];
	static const char *own[] = { pattern, "*.invalid" };
	struct browser_start_params p = named_plan();

	(void)arg;
	snprintf(pattern, sizeof(pattern), "localhost:%d", site_port);
	snprintf(url, sizeof(url), "http://localhost:%d/", site_port);
	p.hosts = own;
	p.hosts_count = 2;
	start_page(&p);
	expect_title(url, "at localhost");
	assert_int_equal(pages_served, 1);
	expect_sentence("http://desk.invalid/", "It does not exist");
	end_all();
	p.private_addresses_count = 0; /* then the same name leads where nobody may go */
	start_page(&p);
	expect_sentence(url, "a loopback address");
	assert_int_equal(pages_served, 1);
	end_all();
}

static void cut(void *arg)
{
	struct browser_start_params p = named_plan();

	(void)arg;
	p.egress_cut = true;
	start_page(&p);
	assert_non_null(rig_navigate(&rig, "http://desk.test/"));
	assert_int_equal(pages_served, 0);
	assert_int_equal(set_egress(true), 0);
	assert_null(rig_navigate(&rig, "http://desk.test/"));
	assert_string_equal(rig_evaluate(&rig, "fetch('/endless').then(r => { window.r = "
					       "r.body.getReader(); return 'begun'; })"),
		"begun");
	assert_non_null(endless);
	assert_int_equal(set_egress(false), 0);
	assert_string_equal(
		rig_evaluate(&rig, "(async () => { try { for (;;) { const x = await r.read(); if "
				   "(x.done) return 'done'; } } catch (e) { return e.name; } })()"),
		"TypeError");
	while (!endless_closed)
		assert_int_equal(fiber_sleep_until(deadline_in(1)), 0);
	evhttp_send_reply_end(endless); /* frees it */
	int before = pages_served;
	assert_non_null(rig_navigate(&rig, "http://desk.test/"));
	assert_int_equal(pages_served, before);
	assert_int_equal(set_egress(true), 0);
	assert_null(rig_navigate(&rig, "http://desk.test/"));
	end_all();
}

static struct peer_stream *speak_alone(struct call *call)
{
	struct egress_alone_params p = { .host = "desk.test", .port = 80 };
	struct peer_stream *s;

	assert_int_equal(open_egress_alone(call, rig.peer, &p, &s), 0);
	return s;
}

static void expect_state(struct peer_stream *s, const char *state)
{
	struct egress_alone_item item;

	assert_int_equal(peer_stream_next(s, &item, deadline_in(CDP_MS)), 0);
	assert_string_equal(item.state, state);
}

/* Whatever comes before: a browser may make a connection ahead. */
static void expect_over(struct peer_stream *s)
{
	struct egress_alone_item item = {};

	while (!item.state || strcmp(item.state, "over") != 0)
		assert_int_equal(peer_stream_next(s, &item, deadline_in(CDP_MS)), 0);
}

/* Who has been let go of may still have to end when the next comes: it waits for its turn. */
static void alone(void *arg)
{
	CLEANUP(call_freep) struct call *one = rig_call(), *two = rig_call(), *three = rig_call();
	struct browser_start_params p = named_plan();
	struct egress_drop_params none = {};
	struct egress_drop_result result;

	(void)arg;
	start_page(&p);
	struct peer_stream *first = speak_alone(one), *second = speak_alone(two);
	expect_state(first, "ready");
	assert_null(rig_navigate(&rig, "http://desk.test/"));
	expect_state(first, "made");
	expect_state(first, "heard");
	peer_stream_close(first);
	expect_state(second, "ready");
	int before = pages_served;
	assert_int_equal(call_egress_drop(three, rig.peer, &none, &result), 0);
	expect_over(second);
	expect_sentence("http://desk.test/", "what was sent is not sent again");
	assert_int_equal(pages_served, before);
	peer_stream_close(second);
	assert_null(rig_navigate(&rig, "http://desk.test/"));
	end_all();
}

static void send_piece(evutil_socket_t fd, short what, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)fd, (void)what, (void)arg;
	evbuffer_add_printf(body, "more");
	evhttp_send_reply_chunk(endless, body);
	evbuffer_free(body);
}

static void expect_read(void)
{
	assert_string_equal(rig_evaluate(&rig, "fetch('/').then(r => r.text()).then(() => 'read')"), "read");
}

/* As long as something is on its way to the host it is not spoken to alone: what is asked meanwhile takes nobody's turn. */
static void alone_waits(void *arg)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_params p = named_plan();
	struct event *pieces = event_new(loop_base(), -1, EV_PERSIST, send_piece, NULL);

	(void)arg;
	start_page(&p);
	assert_null(rig_navigate(&rig, "http://desk.test/"));
	assert_string_equal(rig_evaluate(&rig, "fetch('/endless').then(() => 'begun')"), "begun");
	event_add(pieces, &(struct timeval){ .tv_usec = 5000 });
	struct peer_stream *alone = speak_alone(call);
	assert_int_equal(set_egress(true), 0); /* it has been heard then */
	expect_read();
	event_free(pieces);
	expect_state(alone, "ready");
	expect_read();
	expect_state(alone, "made");
	expect_state(alone, "heard");
	peer_stream_close(alone);
	evhttp_send_reply_end(endless);
	end_all();
}

static void launcher_killed(void *arg)
{
	struct browser_start_params p = named_plan();
	struct process all[MOST_PIDS];

	(void)arg;
	start_browser(&p);
	size_t n = process_tree(rig.pid, all, 0);
	kill(rig.pid, SIGKILL);
	expect_gone(all, n);
	rig_wait(&rig);
	rig_close(&rig);
	assert_int_equal(directory_count(rig.root), 1); /* nobody was left to remove it */
	start_browser(&p);
	assert_int_equal(directory_count(rig.root), 1); /* the new one's */
	struct rig first = rig;
	rig.peer = NULL;
	rig.in = NULL;
	rig.in_length = 0;
	rig_launch(&rig, false); /* a living one's profile is not touched */
	assert_int_equal(set_egress(false), REFUSED);
	assert_int_equal(directory_count(rig.root), 1);
	hang_up();
	rig = first;
	end_all();
}

static void expect_ended(struct peer_stream *watch, const char *how)
{
	struct browser_watch_item item;

	assert_int_equal(next_browser_watch(watch, &item, deadline_in(20000)), 0);
	assert_non_null(item.ended);
	if (!strstr(item.ended, how))
		fail_msg("%s", item.ended);
	assert_int_equal(next_browser_watch(watch, &item, deadline_in(20000)), -ENODATA);
	assert_int_equal(directory_count(rig.root), 0);
}

static void browser_killed(void *arg)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_params p = named_plan();
	struct process all[MOST_PIDS];
	struct peer_stream *watch;

	(void)arg;
	pid_t pid = start_browser(&p);
	watch = watch_browser(call);
	size_t n = process_tree(rig.pid, all, 0);
	kill(pid, SIGKILL);
	expect_ended(watch, "The browser was ended on the server.");
	expect_gone(all, n);
	peer_stream_close(watch);
	assert_int_equal(set_egress(true), REFUSED);
	hang_up();
}

static void ends_on_request(void *arg)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_params p = named_plan();
	struct browser_end_params end = {};
	struct browser_end_result ended;
	struct process all[MOST_PIDS];
	struct peer_stream *watch;

	(void)arg;
	start_browser(&p);
	watch = watch_browser(call);
	size_t n = process_tree(rig.pid, all, 0);
	assert_int_equal(call_browser_end(call, rig.peer, &end, &ended), 0);
	assert_int_equal(process_living(all, n), 0); /* before it answered */
	expect_ended(watch, "on request");
	peer_stream_close(watch);
	struct browser_start_result again;
	closep(&rig.cdp);
	rig.cdp = -1;
	assert_int_equal(rig_start(&rig, call, &p, &again), REFUSED);
	assert_int_equal(call->refusal.code, ERR_conflict);
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	rig_close(&rig);
}

static void terminated(void *arg)
{
	struct browser_start_params p = named_plan();
	struct process all[MOST_PIDS];

	(void)arg;
	start_browser(&p);
	size_t n = process_tree(rig.pid, all, 0);
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_int_equal(process_living(all, n), 0);
	assert_int_equal(directory_count(rig.root), 0);
	rig_close(&rig);
}

/* Paths, commands and signals are for who looks after the server. */
static void assert_for_person(const char *message)
{
	static const char *const machine[] = {"/", "apt-get", "sysctl", "--", "signal", "status", "stead-", "libnss3", "user "};

	for (size_t i = 0; i < sizeof(machine) / sizeof(*machine); i++)
		if (strstr(message, machine[i]) && !strstr(message, "host pattern") && !strstr(message, "time zone"))
			fail_msg("\"%s\" is told to a person: %s", machine[i], message);
}

static void expect_start_refused(struct browser_start_params *p, const char *field, const char *why)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_result result;

	assert_int_equal(rig_start(&rig, call, p, &result), REFUSED);
	closep(&rig.cdp);
	rig.cdp = -1;
	assert_for_person(call->refusal.message);
	if (!strstr(refusal_cause(&call->refusal), why))
		fail_msg("%s", refusal_cause(&call->refusal));
	assert_string_equal(call->refusal.field, field);
	assert_int_equal(directory_count(rig.root), 0);
}

static void write_script(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void bad_starts(void *arg)
{
	static const char *bad_host[] = {"desk.test", "http://desk.test/"}, *bad_key[] = {"abc"};
	char script[64] = "/tmp/stead-lt-script-XXXXXX";
	struct browser_start_params p = named_plan(), q;

	(void)arg;
	close(mkstemp(script));
	rig_launch(&rig, false);
	q = p;
	q.chromium = "/usr/lib/chromium/no-such-browser";
	expect_start_refused(&q, "chromium",
		"/usr/lib/chromium/no-such-browser could not be started: No such file");
	q.user_agent = NULL;
	expect_start_refused(&q, "chromium", "apt-get install chromium");
	q.chromium = script;
	write_script(script, "#!/bin/sh\n", 0644);
	expect_start_refused(&q, "chromium", "Permission denied");
	write_script(script, "#!/bin/sh\necho this is not Chromium\n", 0755);
	expect_start_refused(&q, "chromium", "does not say its version");
	q.user_agent = p.user_agent;
	write_script(script,
		"#!/bin/sh\necho 'libnss3.so: cannot open shared object file' >&2\nexit 127\n",
		0755);
	expect_start_refused(&q, "chromium",
		"exited with status 127; the last it said was: libnss3.so: cannot open");
	write_script(script, "#!/bin/sh\nkill -SEGV $$\n", 0755);
	expect_start_refused(&q, "chromium", "killed by signal 11");
	unlink(script);
	q = p;
	q.hosts = bad_host;
	q.hosts_count = 2;
	expect_start_refused(&q, "hosts", "\"http://desk.test/\" is not a host pattern");
	q = p;
	q.trusted_keys = bad_key;
	q.trusted_keys_count = 1;
	expect_start_refused(&q, "trusted_keys", "44 characters");
	q = p;
	q.time_zone = "/etc/passwd";
	expect_start_refused(&q, "time_zone", "IANA");
	q = p;
	q.chromium = "chromium";
	expect_start_refused(&q, "chromium", "slash");

	/* None of that has spoilt it. */
	CLEANUP(call_freep) struct call *call = rig_call();
	struct browser_start_result result;
	int r = rig_start(&rig, call, &p, &result);
	if (r != 0)
		fail_msg("%s", call_why(call, r));
	rig_cdp(&rig, "Browser.getVersion", NULL, NULL);
	end_all();
}

static void as_root(void *arg)
{
	struct browser_start_params p = plan();

	(void)arg;
	rig_launch(&rig, true);
	expect_start_refused(&p, "", "no sandbox when it runs as root");
	hang_up();
}

static void test_never_as_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	run(as_root);
}

static void without_namespaces(void *arg)
{
	struct browser_start_params p = named_plan();

	(void)arg;
	rig.no_namespaces = true;
	rig_launch(&rig, false);
	expect_start_refused(&p, "", "user.max_user_namespaces");
	hang_up();
}

/* A process that has left group, session and parents is still the browser's. */
static void deserter(void *arg)
{
	CLEANUP(call_freep) struct call *call = rig_call();
	char script[64] = "/tmp/stead-lt-script-XXXXXX";
	struct browser_start_params p = named_plan();
	struct browser_start_result result;
	struct process all[MOST_PIDS];

	(void)arg;
	close(mkstemp(script));
	write_script(script,
		"#!/bin/sh\n(setsid sh -c 'setsid sleep 1000 & sleep 1000' &)\nexec sleep 1000\n",
		0755);
	p.chromium = script;
	rig_launch(&rig, false);
	int64_t began = loop_now();
	assert_int_equal(rig_start(&rig, call, &p, &result), 0); /* lived for the first second */
	assert_in_range(loop_now() - began, 900, 30000);
	size_t n = process_tree(rig.pid, all, 0);
	assert_true(n >= 4);
	rig.peer = peer_free(rig.peer);
	assert_int_equal(rig_wait(&rig), 0);
	assert_int_equal(process_living(all, n), 0);
	assert_int_equal(directory_count(rig.root), 0);
	unlink(script);
	rig_close(&rig);
}

static void run_rigged(void **state)
{
	run((void (*)(void *))*state);
}

#define RIGGED(name) { #name, run_rigged, set_up, tear_down, (void *)name }

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(sandbox),
		RIGGED(only_its_page),
		RIGGED(reaches_its_hosts),
		RIGGED(looks_up),
		RIGGED(refuses_all_others),
		RIGGED(refuses_apps),
		RIGGED(cut),
		RIGGED(alone),
		RIGGED(alone_waits),
		RIGGED(launcher_killed),
		RIGGED(browser_killed),
		RIGGED(ends_on_request),
		RIGGED(terminated),
		RIGGED(bad_starts),
		cmocka_unit_test_setup_teardown(test_never_as_root, set_up, tear_down),
		RIGGED(without_namespaces),
		RIGGED(deserter),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
