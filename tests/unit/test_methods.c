/* The method tables as a whole: what must hold for every row of every daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/error.h"
#include "proto/field.h"
#include "proto/launcher.h"
#include "proto/sessiond.h"
#include "proto/streamd.h"
#include "proto/viewer.h"

static const struct method_list *const lists[] = { &authd_methods, &streamd_methods, &sessiond_methods, &botd_methods,
	&viewer_methods, &launcher_methods };
#define LISTS (sizeof(lists) / sizeof(*lists))

static const struct method *method_find(const struct method_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->methods[i]->name, name) == 0)
			return list->methods[i];
	return NULL;
}

static const struct method *all[256];
static size_t count;

static int collect(void **state)
{
	(void)state;
	for (size_t l = 0; l < LISTS; l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			all[count++] = lists[l]->methods[i];
	return count > 40 && count < 256 ? 0 : -1;
}

static bool is_name(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (!is_name(all[i]->name))
			fail_msg("%s is no name of a method", all[i]->name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(all[i]->name, all[j]->name) == 0)
				fail_msg("%s stands twice", all[i]->name);
		if (strcmp(all[i]->name, "hello") == 0 || strcmp(all[i]->name, "cancel") == 0 ||
			strcmp(all[i]->name, "credit") == 0 || strcmp(all[i]->name, "item") == 0)
			fail_msg("%s is the engine's own", all[i]->name);
	}
}

static void test_found_by_name(void **state)
{
	(void)state;
	for (size_t l = 0; l < LISTS; l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			assert_ptr_equal(method_find(lists[l], lists[l]->methods[i]->name), lists[l]->methods[i]);
	assert_null(method_find(&authd_methods, "nothing"));
	assert_ptr_equal(method_lists()[0], &authd_methods);
	assert_null(method_lists()[4]);
}

static bool is_sentence(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n > 3 && s[n - 1] == '.' && !islower((unsigned char)s[0]);
}

/* Sentences of a struct's rows, however deep; names that an object could not have twice; what the engine can carry. */
static void check_fields(const char *method, const struct field *rows, unsigned depth)
{
	size_t n = 0, descriptors = 0;

	for (const struct field *f = rows; f->kind != FIELD_END; f++) {
		assert_true(++n < FIELDS_MOST);
		if (f->kind == FIELD_OPTIONAL)
			continue;
		/* "done; an element was missing" begins with the word it explains */
		if (!is_sentence(f->sentence) && !(f->kind == FIELD_ENUM && f->sentence[strlen(f->sentence) - 1] == '.') &&
			!strchr(f->sentence, ':'))
			fail_msg("%s: %s: \"%s\" is no sentence", method, f->name, f->sentence);
		if (!is_name(f->name))
			fail_msg("%s: %s is no name of a field", method, f->name);
		for (const struct field *g = rows; g < f; g++)
			if (g->name && strcmp(g->name, f->name) == 0)
				fail_msg("%s: %s stands twice", method, f->name);
		descriptors += f->kind == FIELD_MEMFD || f->kind == FIELD_HANDLE;
		if (f->kind == FIELD_INT || f->kind == FIELD_REAL)
			assert_true(f->least < f->most);
		else if (f->kind != FIELD_BOOL && f->kind != FIELD_ENUM && f->kind != FIELD_OBJ && f->kind != FIELD_HANDLE)
			assert_true(f->most > 0);
		if (f->kind == FIELD_ENUM && (strstr(f->words, "||") || f->words[0] == '|'))
			fail_msg("%s: %s has an empty word", method, f->name);
		if (f->type)
			check_fields(method, f->type(), depth + 1);
	}
	assert_true(depth < 8);
	if (descriptors > (depth ? 0 : 1))
		fail_msg("%s: one descriptor goes beside a message, and only for a field of its own", method);
}

static void test_sentences_and_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (!is_sentence(all[i]->sentence))
			fail_msg("%s: \"%s\" is no sentence", all[i]->name, all[i]->sentence);
		check_fields(all[i]->name, all[i]->params(), 0);
		if (!all[i]->event)
			check_fields(all[i]->name, all[i]->result(), 0);
	}
}

/* Rows of different daemons that are called the same but for the daemon share their words, which each of them answers. */
static bool is_shared(const struct method *a, const struct method *b)
{
	const char *rest = strchr(a->name, '_'), *other = strchr(b->name, '_');

	return rest && other && strcmp(rest, other) == 0;
}

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (!all[i]->cli)
			continue;
		if (!(all[i]->roles & ROLE_CONTROL))
			fail_msg("%s has words, and steadctl may not call it", all[i]->name);
		for (size_t j = 0; j < i; j++)
			if (all[j]->cli && strcmp(all[i]->cli, all[j]->cli) == 0 && !is_shared(all[i], all[j]))
				fail_msg("%s and %s have the same words", all[i]->name, all[j]->name);
	}
}

/* "/sites/{site}" and "/sites/{id}" would be the same route. */
static void shape(const char *path, char *out)
{
	bool inside = false;

	for (; *path; path++) {
		if (*path == '}')
			inside = false;
		if (!inside)
			*out++ = *path;
		if (*path == '{')
			inside = true;
	}
	*out = '\0';
}

static void test_routes(void **state)
{
	char a[256], b[256];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct method *m = all[i];
		assert_true(!m->verb == !m->path);
		if (!m->path)
			continue;
		assert_true(m->path[0] == '/' && strlen(m->path) < sizeof(a));
		assert_true(m->roles & ROLE_FRONT);
		if (!strstr("GET POST PUT DELETE PATCH", m->verb))
			fail_msg("%s: %s is no verb", m->name, m->verb);
		shape(m->path, a);
		for (size_t j = 0; j < i; j++) {
			if (!all[j]->path || strcmp(all[j]->verb, m->verb) != 0)
				continue;
			shape(all[j]->path, b);
			if (strcmp(a, b) == 0)
				fail_msg("%s and %s have the same route", m->name, all[j]->name);
		}
	}
}

static enum field_kind kind_of(const struct field *rows, const char *name)
{
	const struct field *f = field_named(rows, name);

	return f ? f->kind : FIELD_END;
}

/* What is followed can be gone on with where it was left, by whoever serves it; a body is the only field of its result. */
static void test_sign_ins_and_bodies(void **state)
{
	size_t streams = 0, bodies = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct method *m = all[i];
		if (m->streams && m->path) {
			streams++;
			assert_string_equal(m->verb, "GET");
			assert_true(m->roles & ROLE_STREAM);
			assert_int_equal(kind_of(m->params(), METHOD_AFTER), FIELD_INT);
			assert_int_equal(kind_of(m->result(), METHOD_CURSOR), FIELD_INT);
		}
		if (!m->media)
			continue;
		bodies++;
		assert_string_equal(m->verb, "GET");
		assert_int_equal(kind_of(m->result(), "body"), FIELD_MEMFD);
		assert_int_equal(m->result()[1].kind, FIELD_END);
	}
	assert_true(streams > 0 && bodies > 0);
}

/* What stands in braces is a field that the params require, and that one word can hold. */
static void check_places(const struct method *m, const char *template)
{
	for (const char *open = strchr(template, '{'); open; open = strchr(open + 1, '{')) {
		size_t n = strcspn(open + 1, "}");
		bool optional = false, found = false;
		assert_true(open[n + 1] == '}');
		for (const struct field *f = m->params(); f->kind != FIELD_END; f++) {
			if (f->name && strlen(f->name) == n && strncmp(f->name, open + 1, n) == 0)
				found = !optional && (f->kind == FIELD_STR || f->kind == FIELD_INT || f->kind == FIELD_ENUM);
			optional = f->kind == FIELD_OPTIONAL;
		}
		if (!found)
			fail_msg("%s: %s names no required field", m->name, template);
	}
}

static void test_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (all[i]->path)
			check_places(all[i], all[i]->path);
		if (all[i]->cli)
			check_places(all[i], all[i]->cli);
	}
}

/* Whoever comes from outside is somebody, but for the door itself; nobody else may reach a public method unasked. */
static void test_scopes(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct method *m = all[i];
		if (m->event)
			continue;
		assert_true(m->roles != 0);
		if ((m->roles & ROLE_FRONT) && m->scope == SCOPE_ANYONE && strcmp(m->name, "login") != 0)
			fail_msg("%s is public and asks for no scope", m->name);
		if (m->scope >= SCOPE_ADMIN_READ)
			assert_int_equal(m->roles & ~(unsigned)(ROLE_FRONT | ROLE_CONTROL), 0);
		if ((m->roles & ROLE_LAUNCHER) || (m->roles & ROLE_VIEWER)) /* connections of their own, mixed with nothing */
			assert_true((m->roles & (m->roles - 1)) == 0);
	}
}

/* A secret is asked for in the body or on a terminal, never in a path or on a command line; and none is public to see. */
static void test_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		for (const struct field *f = all[i]->params(); f->kind != FIELD_END; f++) {
			if (f->kind != FIELD_SECRET)
				continue;
			char place[80];
			snprintf(place, sizeof(place), "{%s}", f->name);
			assert_true(!all[i]->path || !strstr(all[i]->path, place));
			assert_true(!all[i]->cli || !strstr(all[i]->cli, place));
			assert_true(!all[i]->verb || strcmp(all[i]->verb, "GET") != 0);
		}
}

static void test_every_daemon_has_a_status(void **state)
{
	(void)state;
	for (size_t l = 0; l < 4; l++) {
		char name[64];
		snprintf(name, sizeof(name), "%s_status", lists[l]->daemon);
		const struct method *m = method_find(lists[l], name);
		assert_non_null(m);
		assert_string_equal(m->cli, "status");
	}
}

static void test_errors(void **state)
{
	(void)state;
	for (int i = 0; i < ERROR_COUNT; i++) {
		const struct error_row *row = error_row((enum error_code)i);
		assert_true(is_name(row->name));
		if (!is_sentence(row->sentence))
			fail_msg("%s: \"%s\"", row->name, row->sentence);
		assert_in_range(row->http, 400, 504);
		assert_in_range(row->exit, 64, 78);
		for (int j = 0; j < i; j++) {
			assert_int_not_equal(row->rpc, error_row((enum error_code)j)->rpc);
			assert_string_not_equal(row->name, error_row((enum error_code)j)->name);
		}
		assert_int_equal(error_by_name(row->name), i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_found_by_name),
		cmocka_unit_test(test_sentences_and_fields),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_sign_ins_and_bodies),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_every_daemon_has_a_status),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, collect, NULL);
}
