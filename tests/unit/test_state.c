/* A captured session as a document: written, read, compared, its cookies changed, without any browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cbor_out.h"
#include "common/cleanup.h"
#include "state/merge.h"
#include "state/writer.h"

#define AT_S 1700000000

static const struct environment environment = { .user_agent = "Chromium",
	.agent = "Chromium/156",
	.languages = "de,en",
	.time_zone = "Europe/Vienna",
	.screen = { 2560, 1440, 24 },
	.width = 1280,
	.height = 721 };
static const char *const desk[] = { "https://desk.test" }, *const framed[] = { "https://desk.test", "https://id.test" };
static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static struct state_cookie cookie(const char *name, const char *value)
{
	return (struct state_cookie){ .name = name, .value = value, .domain = "desk.test", .path = "/", .expires = -1, .secure = true,
		.source_scheme = "Secure", .source_port = 443 };
}

/* As Chromium gives them. */
static const struct cbor *list_of(const struct state_cookie *cookies, size_t count)
{
	struct cbor_out *out = cbor_out_new();
	const struct cbor *list;
	const uint8_t *bytes;
	size_t n;

	cbor_cdp_array_begin(out);
	for (size_t i = 0; i < count; i++)
		state_cookie_write(out, &cookies[i]);
	cbor_cdp_array_end(out);
	assert_int_equal(cbor_out_finish(out, &bytes, &n), 0);
	assert_int_equal(cbor_parse(arena, arena_memdup(arena, bytes, n), n, CBOR_ITEMS_DEFAULT, &list), 0);
	cbor_out_free(out);
	return list;
}

/* [["key", value]] */
static const struct cbor *items(const char *key, const char *value)
{
	struct cbor_out *out = cbor_out_new();
	const struct cbor *list;
	const uint8_t *bytes;
	size_t n;

	cbor_put_array(out, 1);
	cbor_put_array(out, 2);
	cbor_put_text(out, key);
	cbor_put_text(out, value);
	assert_int_equal(cbor_out_finish(out, &bytes, &n), 0);
	assert_int_equal(cbor_parse(arena, arena_memdup(arena, bytes, n), n, 10, &list), 0);
	cbor_out_free(out);
	return list;
}

static struct state_writer *begin(const struct state_cookie *cookies, size_t count)
{
	struct state_writer *w = state_writer_new("desk", (int64_t)AT_S * 1000, &environment);

	assert_int_equal(state_writer_cookies(w, list_of(cookies, count)), 0);
	return w;
}

static struct state *finish(struct state_writer *w)
{
	struct state *s = NULL;

	assert_int_equal(state_writer_finish(w, &s), 0);
	state_writer_free(w);
	return s;
}

static struct state *with_cookies(const struct state_cookie *cookies, size_t count)
{
	return finish(begin(cookies, count));
}

static int add_area(struct state_writer *w, const char *key, const char *const *chain, size_t depth, const char *value)
{
	const struct area a = { .key = key, .chain = chain, .depth = depth, .local = items("token", value) };

	return state_writer_area(w, &a);
}

static const struct state_cookie *named(const struct state *s, const char *name)
{
	for (size_t i = 0; i < state_cookie_count(s); i++)
		if (strcmp(state_cookie_at(s, i)->name, name) == 0)
			return state_cookie_at(s, i);
	return NULL;
}

static void test_written_and_read(void **state)
{
	struct state_cookie c = cookie("sid", "s3cret");
	struct state_writer *w;
	struct environment e;
	struct state *s;
	char words[200];

	(void)state;
	c.expires = AT_S + 0.25;
	c.http_only = true;
	c.same_site = "Lax";
	c.priority = "Medium";
	c.partition = "https://top.test";
	c.cross_site_ancestor = true;
	w = begin(&c, 1);
	assert_int_equal(add_area(w, "https://desk.test/", desk, 1, "a"), 0);
	assert_true(state_writer_has(w, "https://desk.test/") && !state_writer_has(w, "https://id.test/"));
	state_writer_not_portable(w, "a key stays");
	state_writer_not_portable(w, "a key stays");
	state_writer_missed(w, "a page is silent");
	s = finish(w);
	assert_int_equal(state_cookie_count(s), 1);
	assert_true(state_cookie_equal(state_cookie_at(s, 0), &c));
	assert_int_equal(state_area_count(s), 1);
	assert_string_equal(state_area(s, 0)->chain[0], "https://desk.test");
	assert_non_null(state_area(s, 0)->local);
	assert_null(state_area(s, 0)->session);
	assert_true(state_left_out(s, words, sizeof(words)));
	assert_string_equal(words, "a key stays; a page is silent.");
	state_environment(s, &e);
	assert_string_equal("Chromium/156", e.agent);
	assert_string_equal(e.time_zone, "Europe/Vienna");
	assert_int_equal(e.screen.height, 1440);
	state_free(s);
}

/* Each of these tells two cookies apart, or two values of one. */
static void test_compared(void **state)
{
	struct state_cookie a = cookie("sid", "1"), other[10];
	struct state *s = with_cookies(&a, 1), *t;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		other[i] = a;
	other[0].name = "Sid";
	other[1].domain = ".desk.test";
	other[2].path = "/x";
	other[3].partition = "https://top.test";
	other[4].value = "2";
	other[5].expires = AT_S;
	other[6].http_only = true;
	other[7].same_site = "None";
	other[8].source_port = 8443;
	other[9].secure = false;
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(state_cookie_is(&a, &other[i]), i > 3);
		assert_false(state_cookie_equal(&a, &other[i]));
		t = with_cookies(&other[i], 1);
		assert_false(state_equal(s, t));
		state_free(t);
	}
	other[0] = a;
	other[0].domain = "DESK.test"; /* names of hosts compare without case */
	assert_true(state_cookie_is(&a, &other[0]));
	state_free(s);
}

static void test_order_is_no_difference(void **state)
{
	struct state_cookie ab[] = { cookie("a", "1"), cookie("b", "2") }, ba[] = { ab[1], ab[0] };
	struct state *s = with_cookies(ab, 2), *t = with_cookies(ba, 2), *fewer = with_cookies(ab, 1);

	(void)state;
	assert_true(state_equal(s, t));
	assert_false(state_equal(s, fewer) || state_equal(fewer, s));
	state_free(s);
	state_free(t);
	state_free(fewer);
}

static void test_cookies_are_set(void **state)
{
	struct state_cookie had[] = { cookie("sid", "old"), cookie("theme", "dark"), cookie("gone", "x"), cookie("sid", "other") };
	struct state_cookie set[] = { cookie("sid", "first"), cookie("sid", "new"), cookie("gone", ""), cookie("fresh", "f"),
		cookie("never", "n") };
	struct state_writer *w;
	struct state *s, *t;
	uint8_t digest[32], again[32];

	(void)state;
	had[3].partition = "https://top.test";
	set[2].expires = 0;
	set[4].expires = AT_S - 1;
	w = begin(had, 4);
	assert_int_equal(add_area(w, "https://desk.test/", desk, 1, "a"), 0);
	s = finish(w);
	assert_int_equal(state_set_cookies(s, set, 5, AT_S, &t), 0);
	assert_int_equal(state_cookie_count(t), 4);
	assert_true(state_has_cookie(t, &set[1]) && state_has_cookie(t, &set[3]) && state_has_cookie(t, &had[1]) &&
		state_has_cookie(t, &had[3]));
	assert_null(named(t, "gone"));
	assert_null(named(t, "never"));
	assert_true(state_item_digest(s, false, "https://desk.test", "token", digest));
	assert_true(state_item_digest(t, false, "https://desk.test", "token", again)); /* the rest is as it was */
	assert_memory_equal(digest, again, 32);
	state_free(s);
	assert_int_equal(state_set_cookies(t, NULL, 0, AT_S, &s), 0);
	assert_true(state_equal(s, t));
	state_free(s);
	state_free(t);
}

/* Of what was there before, what the browser has not shown is kept; what it has shown counts as it is now. */
static void test_carried(void **state)
{
	struct state_writer *w = begin(NULL, 0);
	struct state *before, *now;

	(void)state;
	assert_int_equal(add_area(w, "https://desk.test/", desk, 1, "before"), 0);
	assert_int_equal(add_area(w, "https://id.test/^0https://desk.test", framed, 2, "kept"), 0);
	before = finish(w);
	w = begin(NULL, 0);
	assert_int_equal(add_area(w, "https://desk.test/", desk, 1, "now"), 0);
	assert_int_equal(state_writer_carry(w, before), 0);
	now = finish(w);
	assert_int_equal(state_area_count(now), 2);
	assert_true(cbor_text_is(cbor_at(cbor_at(state_area(now, 0)->local, 0), 1), "now"));
	assert_true(cbor_text_is(cbor_at(cbor_at(state_area(now, 1)->local, 0), 1), "kept"));
	assert_int_equal(state_area(now, 1)->depth, 2);
	state_free(before);
	state_free(now);
}

static void test_too_much(void **state)
{
	struct state_writer *w = begin(NULL, 0);
	size_t n = 33u << 20;
	char *much = malloc(n + 1);

	(void)state;
	memset(much, 'm', n);
	much[n] = '\0';
	assert_int_equal(add_area(w, "https://desk.test/", desk, 1, much), 0);
	assert_int_equal(add_area(w, "https://id.test/", desk, 1, much), -E2BIG);
	assert_false(state_writer_has(w, "https://id.test/"));
	for (int i = 1; i < STATE_AREAS; i++)
		assert_int_equal(add_area(w, arena_printf(arena, "https://a%d.test/", i), desk, 1, "x"), 0);
	assert_int_equal(add_area(w, "https://z.test/", desk, 1, "x"), -E2BIG);
	state_writer_free(w);
	free(much);
}

/* A cookie without what makes it one is no cookie, and the document damaged. */
static void test_damaged(void **state)
{
	struct state_cookie c = cookie("sid", "1");
	struct state *s = NULL;
	struct state_writer *w;

	(void)state;
	c.value = NULL;
	w = begin(&c, 1);
	assert_int_equal(state_writer_finish(w, &s), -EBADMSG);
	assert_null(s);
	state_writer_free(w);
}

static void test_sealed(void **state)
{
	struct state_cookie c = cookie("sid", "1");
	struct state *s = with_cookies(&c, 1), *t = NULL;
	char why[200] = "stale";
	int fd;

	(void)state;
	assert_int_equal(state_memfd(s, &fd), 0);
	assert_int_equal(state_read_memfd(fd, &t, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_true(state_equal(s, t));
	close(fd);
	state_free(s);
	state_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_written_and_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_compared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_is_no_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cookies_are_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_carried, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_much, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sealed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
