/*
 * What tests against hand-made pages share: a site of a few pages under two names, a.test and b.test, which the test
 * serves itself, and a browser that may go there.
 */
#pragma once

#include "tests/integration/test_steps_rig.h"

struct page {
	const char *path, *html;
};

static const struct page *site_pages;
static size_t site_page_count;

static const struct browser_events no_events;

static struct recipe *recipe; /* which tests change */
static struct arena *arena; /* of the test that runs */

static const char recipe_text[] =
	"{\"title\": \"Pages\", \"home\": \"http://a.test/\", \"sign_in\": {\"url\": \"http://a.test/login\"},"
	"\"hosts\": [\"a.test\", \"*.a.test\", \"b.test\", \"a.localhost\"], \"private_addresses\": [\"127.0.0.1\"],"
	"\"signed_in\": {\"url\": [\"http://a.test/next\"]},"
	"\"probe\": {\"url\": \"http://a.test/\", \"in\": {\"at\": {\"css\": \"h1\"}}, \"out\": {\"url\": [\"http://a.test/login*\"]}}}";

/* What was asked for, in order: " /a /b". */
static char site_asked[4096];

static inline int site_count(const char *path)
{
	char word[128];
	int n = 0;

	snprintf(word, sizeof(word), " %s ", path);
	for (const char *p = site_asked; (p = strstr(p, word)); p++)
		n++;
	return n;
}

static inline void on_request(struct evhttp_request *request, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	const char *html = NULL;

	(void)arg;
	if (strlen(site_asked) + strlen(path) + 3 < sizeof(site_asked))
		sprintf(site_asked + strlen(site_asked), " %s ", path);
	if (strcmp(path, "/silent") == 0) { /* never answered */
		evbuffer_free(body);
		return;
	}
	for (size_t i = 0; i < site_page_count; i++)
		if (strcmp(path, site_pages[i].path) == 0)
			html = site_pages[i].html;
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/html; charset=utf-8");
	evbuffer_add_printf(body, "%s", html ? html : "<!doctype html><title>nothing</title>");
	evhttp_send_reply(request, html ? 200 : 404, html ? "OK" : "Not Found", body);
	evbuffer_free(body);
}

static inline void open_site(void)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	rig.site = evhttp_new(loop_base());
	bound = evhttp_bind_socket_with_handle(rig.site, "127.0.0.1", 0);
	assert_non_null(bound);
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&a, &n), 0);
	rig.port = ntohs(a.sin_port);
	evhttp_set_gencb(rig.site, on_request, NULL);
}

static inline void open_browser(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(30000));
	const struct environment e = { .width = 1280, .height = 800 };
	const struct browser_events *events = arg;

	if (browser_open(call, &rig.settings, recipe, &e, false, events, NULL, &rig.browser) < 0)
		fail_msg("%s", call->refusal.message);
}

static inline void close_browser(void *arg)
{
	(void)arg;
	rig.browser = browser_close(rig.browser);
}

/* The site and the browser; pages and events are borrowed until rig_close_pages(). */
static inline void rig_open_pages(const struct page *pages, size_t count, const struct browser_events *events)
{
	static char pin_a[64], pin_b[64], pin_c[64];
	const struct recipe *read = NULL;
	const char *more[] = { pin_a, pin_b, pin_c, "pin=closed.a.test=127.0.0.1:1", NULL }; /* where nobody listens */
	char why[256];

	site_pages = pages;
	site_page_count = count;
	rig_paths();
	assert_int_equal(loop_init(), 0);
	open_site();
	snprintf(pin_a, sizeof(pin_a), "pin=a.test=127.0.0.1:%d", rig.port);
	snprintf(pin_b, sizeof(pin_b), "pin=b.test=127.0.0.1:%d", rig.port);
	snprintf(pin_c, sizeof(pin_c), "pin=a.localhost=127.0.0.1:%d", rig.port);
	rig_settings(more);
	if (recipe_parse("pages.json", recipe_text, strlen(recipe_text), &read, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	recipe = (struct recipe *)read;
	in_fiber(open_browser, (void *)events);
}

static inline void rig_close_pages(void)
{
	in_fiber(close_browser, NULL);
	evhttp_free(rig.site);
	recipe_unref(recipe);
	recipe = NULL;
	rig_end();
	fiber_drop_stacks();
	loop_deinit();
}

/* A program's set_up() and tear_down(): a site of these pages, with these events, then what else it needs. */
#define PAGES_RIG(pages_, events_, ...)                                                            \
	static int set_up(void **state)                                                            \
	{                                                                                          \
		(void)state;                                                                       \
		rig_open_pages(pages_, sizeof(pages_) / sizeof(*(pages_)), events_);               \
		__VA_ARGS__                                                                        \
		return 0;                                                                          \
	}                                                                                          \
	static int tear_down(void **state)                                                         \
	{                                                                                          \
		(void)state;                                                                       \
		rig_close_pages();                                                                 \
		return 0;                                                                          \
	}

/* Steps of no recipe. */

static inline struct step_result ok(const char *json)
{
	return take(rig.browser, NULL, arena, STEP_END_DONE, json);
}

static inline void go(const char *path)
{
	ok(arena_printf(arena, "{\"step\": \"open\", \"url\": \"http://a.test%s\"}", path));
}

/* A test that runs on a fiber. */
#define PAGE_TEST(name_)                                                                           \
	static void name_##_steps(void);                                                           \
	static void name_##_fiber(void *arg)                                                       \
	{                                                                                          \
		(void)arg;                                                                         \
		arena = arena_new(0);                                                              \
		name_##_steps();                                                                   \
		arena = arena_free(arena);                                                         \
	}                                                                                          \
	static void name_(void **state)                                                            \
	{                                                                                          \
		(void)state;                                                                       \
		in_fiber(name_##_fiber, NULL);                                                     \
	}                                                                                          \
	static void name_##_steps(void)
