/* What leaves for a site, how often, and what is told of its answer. */
#include "tests/unit/http_site.h"

#include <errno.h>
#include <zlib.h>

#include <event2/event.h>

#include "common/arena.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/resolver.h"
#include "http/http.h"

#define LATE_MS 20000

static struct resolver resolver;
static struct egress_rule *rule;
static struct http_client *http;
static struct arena *arena;
static struct site site;
static struct http_answer answer;
static struct transfer *held;
static char why[HTTP_WHY];
static int result;

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A: 1\r\nx-a: 2\r\n\r\nbody";

static void begin(const struct site_answer *answers, SSL_CTX *tls, const char *key)
{
	static const char *trusted[1];
	const char *hosts[] = { "site.test:1", "127.0.0.1:1" }, *addresses[] = { "127.0.0.1" }, *pins[1], *field;
	char host[2][64], pin[64], wrong[EGRESS_WHY];

	loop_init();
	site_start(&site, answers, tls);
	snprintf(host[0], sizeof(host[0]), "site.test:%u", site.port);
	snprintf(host[1], sizeof(host[1]), "127.0.0.1:%u", site.port);
	snprintf(pin, sizeof(pin), "site.test=127.0.0.1");
	hosts[0] = host[0], hosts[1] = host[1], pins[0] = pin;
	assert_int_equal(egress_rule_new((struct egress_words){ hosts, 2 }, (struct egress_words){ addresses, 1 },
		(struct egress_words){ pins, 1 }, &rule, &field, wrong), 0);
	trusted[0] = key;
	http = http_client_new(&(struct http_config){ .rule = rule,
		.resolver = &resolver,
		.user_agent = "Agent/1",
		.languages = "de,en;q=0.5",
		.trusted_keys = trusted,
		.trusted_count = key ? 1 : 0 });
	arena = arena_new(0);
}

static int finish(void **state)
{
	(void)state;
	if (!http)
		return 0;
	http = http_client_free(http);
	site_stop(&site);
	SSL_CTX_free(site.tls);
	rule = egress_rule_free(rule);
	arena = arena_free(arena);
	resolver_end(&resolver);
	loop_deinit();
	fiber_drop_stacks();
	return 0;
}

static void in_fiber(void (*fn)(void *), void *arg)
{
	struct fiber *f;

	fiber_start("test", fn, arg, &f);
	while (!fiber_ended(f))
		loop_turn();
	fiber_join(&f);
}

static void fetch_it(void *arg)
{
	*why = '\0';
	result = http_fetch(http, arg, arena, &answer, why);
}

static const char *at(const char *scheme, const char *host, const char *path)
{
	return arena_printf(arena, "%s://%s:%u%s", scheme, host, site.port, path);
}

static void ask(struct http_request q)
{
	q.deadline = q.deadline ? q.deadline : deadline_in(LATE_MS);
	q.most = q.most ? q.most : 1 << 20;
	in_fiber(fetch_it, &q);
}

static struct http_request act(void)
{
	return (struct http_request){
		.method = "POST", .url = at("http", "site.test", "/book"), .body = "day=1", .size = 5, .once = true
	};
}

static void test_says_what_came(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok, .keep = true }, {} };
	const struct http_header headers[] = { { "Cookie", "a=b; c=d" }, { "X-Empty", "" } };

	begin(answers, NULL, NULL);
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/a?b=c#d"), .headers = headers, .headers_count = 2 });
	assert_int_equal(result, 0);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body, "body");
	assert_int_equal(answer.size, 4);
	assert_string_equal(http_header_of(&answer, "x-A"), "1");
	assert_int_equal(answer.headers_count, 3);
	assert_true(answer.gone);
	assert_non_null(strstr(site.last, "GET /a?b=c HTTP/1.1\r\n"));
	assert_non_null(strstr(site.last, "\r\nCookie: a=b; c=d\r\n"));
	assert_non_null(strstr(site.last, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(site.last, "\r\nUser-Agent: Agent/1\r\n"));
	assert_non_null(strstr(site.last, "\r\nAccept-Language: de,en;q=0.5\r\n"));
	assert_non_null(strstr(site.last, "\r\nHost: site.test:"));
	assert_null(strcasestr(site.last, "Content-Type"));
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/again") });
	assert_int_equal(result, 0);
	assert_int_equal(site.connections, 1); /* what only reads shares them */
}

static void test_act_leaves_by_itself(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok, .keep = true }, {} };

	begin(answers, NULL, NULL);
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/") });
	ask(act());
	assert_int_equal(result, 0);
	assert_int_equal(site.connections, 2);
	assert_non_null(strstr(site.last, "POST /book HTTP/1.1\r\n"));
	assert_non_null(strstr(site.last, "\r\nContent-Length: 5\r\n"));
	assert_null(strcasestr(site.last, "\r\nExpect:"));
	assert_string_equal(strstr(site.last, "\r\n\r\n"), "\r\n\r\nday=1");
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/") });
	assert_int_equal(result, 0);
	assert_int_equal(site.connections, 2); /* the first one still */
}

/* Whatever the site does to it. */
static void test_act_leaves_once(void **)
{
	static const struct wrong {
		const char *name;
		struct site_answer answer;
		int result, status;
	} wrongs[] = {
		{ "no answer", { .bytes = "" }, -ECONNRESET, 0 },
		{ "reset", { .bytes = "", .reset = true }, -ECONNRESET, 0 },
		{ "inside the head", { .bytes = "HTTP/1.1 200 OK\r\nContent-Ty" }, -ECONNRESET, 0 },
		{ "half a body", { .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" }, -ECONNRESET, 0 },
		{ "half a chunk", { .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf" }, -ECONNRESET, 0 },
		{ "408", { .bytes = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" }, 0, 408 },
		{ "417", { .bytes = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n" }, 0, 417 },
		{ "421", { .bytes = "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n" }, 0, 421 },
		{ "401", { .bytes = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n" }, 0, 401 },
		{ "303", { .bytes = "HTTP/1.1 303 See Other\r\nLocation: /book\r\nContent-Length: 0\r\n\r\n" }, 0, 303 },
		{ "307", { .bytes = "HTTP/1.1 307 There\r\nLocation: /book\r\nContent-Length: 0\r\n\r\n" }, 0, 307 },
		{ "503", { .bytes = "HTTP/1.1 503 Later\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n" }, 0, 503 },
		{ "no HTTP", { .bytes = "SSH-2.0-OpenSSH_9.2\r\n" }, -EPROTO, 0 },
		{ "no zip", { .bytes = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbody" }, -EPROTO, 0 },
	};

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		const struct site_answer answers[] = { wrongs[i].answer, {} };

		print_message("%s\n", wrongs[i].name);
		begin(answers, NULL, NULL);
		ask(act());
		print_message("	%s\n", why);
		assert_int_equal(result, wrongs[i].result);
		assert_int_equal(answer.status, wrongs[i].status);
		assert_true(answer.gone);
		assert_int_equal(result < 0, *why != '\0');
		assert_int_equal(site.whole, 1);
		assert_int_equal(site.connections, 1);
		finish(NULL);
	}
}

static void test_late_act_has_gone(void **)
{
	static const struct site_answer answers[] = { { .silent = true }, {} };
	struct http_request q;

	begin(answers, NULL, NULL);
	q = act();
	q.deadline = deadline_in(300);
	ask(q);
	assert_int_equal(result, -ETIMEDOUT);
	assert_true(answer.gone);
	assert_string_equal(why, "site.test did not answer in time.");
	finish(NULL); /* waits for the site's thread */
	assert_int_equal(site.whole, 1);
}

static void hold_it(void *)
{
	static struct http_request q;

	q = act();
	q.deadline = deadline_in(LATE_MS);
	q.most = 1 << 20;
	result = http_hold(http, &q, &held, why);
}

static void let_it_go(void *)
{
	result = http_let_go(held, deadline_in(LATE_MS), arena, &answer, why);
}

static void test_held_act_is_not_made(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok }, {} };

	begin(answers, NULL, NULL);
	in_fiber(hold_it, NULL);
	assert_int_equal(result, 0);
	assert_false(http_held_lost(held));
	while (!site.connections)
		usleep(1000);
	held = transfer_free(held);
	finish(NULL);
	assert_int_equal(site.whole, 0);
	assert_int_equal(site.partial, 1);
}

static void test_held_act_goes(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok }, {} };

	begin(answers, NULL, NULL);
	in_fiber(hold_it, NULL);
	assert_int_equal(result, 0);
	assert_int_equal(site.whole, 0);
	in_fiber(let_it_go, NULL);
	assert_int_equal(result, 0);
	assert_true(answer.gone);
	assert_int_equal(answer.status, 200);
	held = transfer_free(held);
	finish(NULL);
	assert_int_equal(site.whole, 1);
	assert_string_equal(strstr(site.last, "\r\n\r\n"), "\r\n\r\nday=1");
}

/* The site has no patience with half a request, or answers it. */
static void test_held_act_is_lost(void **)
{
	static const struct site_answer answers[] = { { .bytes = "HTTP/1.1 400 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", .early = true }, {} };

	begin(answers, NULL, NULL);
	in_fiber(hold_it, NULL);
	assert_int_equal(result, 0);
	while (!http_held_lost(held))
		event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	in_fiber(let_it_go, NULL);
	assert_int_equal(result, -ECONNRESET);
	assert_false(answer.gone);
	held = transfer_free(held);
	finish(NULL);
	assert_int_equal(site.whole, 0);
}

static void test_takes_no_more_than_it_wants(void **)
{
	static const struct site_answer body[] = { { .bytes = ok }, {} };
	static char head[300000] = "HTTP/1.1 200 OK\r\n";
	static struct site_answer heads[] = { { .bytes = head, .silent = true }, {} };
	struct http_request q;

	begin(body, NULL, NULL);
	q = act();
	q.most = 3;
	ask(q);
	assert_int_equal(result, -EFBIG);
	assert_string_equal(why, "site.test answered with more than is taken.");
	finish(NULL);
	for (size_t n = strlen(head); n + 1000 < sizeof(head); n += 1000)
		snprintf(head + n, 1001, "A: %0995d\r\n", 0);
	begin(heads, NULL, NULL);
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/") });
	assert_int_equal(result, -EFBIG);
}

/* 1 MB of zeros in 1 KB. */
static void test_takes_no_bomb(void **)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nConnection: close\r\n\r\n";
	static char zeros[1 << 20], bytes[65536];
	static struct site_answer answers[] = { { .bytes = bytes }, {} };
	uLongf n = sizeof(bytes) - sizeof(head);

	memcpy(bytes, head, sizeof(head) - 1);
	assert_int_equal(compress((Bytef *)bytes + sizeof(head) - 1, &n, (const Bytef *)zeros, sizeof(zeros)), Z_OK);
	answers[0].size = sizeof(head) - 1 + n;
	begin(answers, NULL, NULL);
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/"), .most = 100000 });
	assert_int_equal(result, -EFBIG);
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/"), .most = 1 << 20 });
	assert_int_equal(result, 0);
	assert_int_equal(answer.size, 1 << 20);
}

static void test_goes_nowhere_else(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok, .keep = true }, {} };
	static const struct {
		const char *url, *why;
		int result;
	} wrongs[] = {
		{ "http://other.test/", "other.test cannot be asked. It is not among the hosts that the site may reach; its recipe can allow it (hosts).", -EACCES },
		{ "http://169.254.169.254/latest", NULL, -EACCES },
		{ "http://2130706433/", NULL, -EACCES },
		{ "ftp://site.test/", "\"ftp://site.test/\" is no address of a site.", -EINVAL },
		{ "file:///etc/passwd", NULL, -EINVAL },
		{ "http://a:b@site.test/", NULL, -EINVAL },
		{ "http://site.test/a b", NULL, -EINVAL },
		{ "http://site.test/\r\nX: y", NULL, -EINVAL },
		{ "nothing", NULL, -EINVAL },
	};

	begin(answers, NULL, NULL);
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		ask((struct http_request){ .method = "GET", .url = wrongs[i].url });
		print_message("%s: %s\n", wrongs[i].url, why);
		assert_int_equal(result, wrongs[i].result);
		if (wrongs[i].why)
			assert_string_equal(why, wrongs[i].why);
	}
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/") });
	unsetenv("http_proxy");
	assert_int_equal(result, 0);
	assert_int_equal(site.connections, 1);
}

static void test_refuses_what_is_no_header(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok, .keep = true }, {} };
	static const struct http_header wrongs[] = { { "A", "b\r\nC: d" }, { "A B", "c" }, { "", "c" }, { "content-length", "0" },
		{ "Transfer-Encoding", "chunked" }, { "Host", "x" } };

	begin(answers, NULL, NULL);
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		ask((struct http_request){ .method = "GET", .url = at("http", "site.test", "/"), .headers = &wrongs[i], .headers_count = 1 });
		assert_int_equal(result, -EINVAL);
	}
	ask((struct http_request){ .method = "GE T", .url = at("http", "site.test", "/") });
	assert_int_equal(result, -EINVAL);
	assert_int_equal(site.connections, 0);
}

static void test_says_that_it_cannot_be_reached(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok }, {} };

	begin(answers, NULL, NULL);
	shutdown(site.fd, SHUT_RDWR);
	pthread_join(site.thread, NULL);
	ask(act());
	assert_int_equal(result, -EHOSTUNREACH);
	assert_false(answer.gone);
	assert_string_equal(why, "site.test could not be reached: Connection refused.");
	assert_int_equal(pthread_create(&site.thread, NULL, site_run, &site), 0);
}

static void test_trusts_its_key_alone(void **)
{
	static const struct site_answer answers[] = { { .bytes = ok }, {} };
	char key[45], other[45];

	SSL_CTX_free(site_tls("site.test", other));
	begin(answers, site_tls("elsewhere.test", key), NULL);
	ask((struct http_request){ .method = "GET", .url = at("https", "site.test", "/") });
	print_message("%s\n", why);
	assert_int_equal(result, -EKEYREJECTED);
	assert_false(answer.gone);
	finish(NULL);
	begin(answers, site_tls("elsewhere.test", key), other);
	ask((struct http_request){ .method = "GET", .url = at("https", "site.test", "/") });
	assert_int_equal(result, -EKEYREJECTED);
	finish(NULL);
	begin(answers, site_tls("elsewhere.test", key), key);
	ask((struct http_request){ .method = "GET", .url = at("https", "site.test", "/") });
	assert_int_equal(result, 0);
	assert_string_equal(answer.body, "body");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_says_what_came, finish),
		cmocka_unit_test_teardown(test_act_leaves_by_itself, finish),
		cmocka_unit_test_teardown(test_act_leaves_once, finish),
		cmocka_unit_test_teardown(test_late_act_has_gone, finish),
		cmocka_unit_test_teardown(test_held_act_is_not_made, finish),
		cmocka_unit_test_teardown(test_held_act_goes, finish),
		cmocka_unit_test_teardown(test_held_act_is_lost, finish),
		cmocka_unit_test_teardown(test_takes_no_more_than_it_wants, finish),
		cmocka_unit_test_teardown(test_takes_no_bomb, finish),
		cmocka_unit_test_teardown(test_goes_nowhere_else, finish),
		cmocka_unit_test_teardown(test_refuses_what_is_no_header, finish),
		cmocka_unit_test_teardown(test_says_that_it_cannot_be_reached, finish),
		cmocka_unit_test_teardown(test_trusts_its_key_alone, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
