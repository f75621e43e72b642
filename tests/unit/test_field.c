/* The decoder and the encoder: what each kind refuses, and every row of every .def there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/memfd.h"
#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/field.h"
#include "proto/json.h"
#include "proto/launcher.h"
#include "proto/sessiond.h"
#include "proto/streamd.h"
#include "proto/text.h"
#include "proto/viewer.h"

#define DEF "tests/unit/test_field.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

#define GOOD                                                                                       \
	"{\"name\":\"n\",\"word\":\"w\",\"count\":-5,\"ratio\":0.5,\"on\":true,\"kind\":\"two\",\"more\":{\"a\":1}," \
	"\"tags\":[\"x\",\"y\"],\"first\":{\"url\":\"u\",\"ms\":7},\"steps\":[{\"url\":\"a\"},{\"url\":\"b\"}],\"state\":8}"

/* One decoding by one of the two readers. */
struct decoded {
	struct arena *arena;
	char *text;
	json_t *kept, *document;
	struct everything_params p;
	struct optional_params o;
	struct refusal why;
	int fd, result;
};

static int state_fd;

static int set_up(void **state)
{
	(void)state;
	return memfd_new("state", "captured", 8, &state_fd);
}

static int tear_down(void **state)
{
	(void)state;
	return close(state_fd);
}

/* by_text or by document; fd is duplicated. */
static struct decoded decode(bool by_text, const struct method *m, const char *json, int fd)
{
	struct decoded d = { .arena = arena_new(0), .text = strdup(json), .fd = fd < 0 ? -1 : dup(fd) };
	void *out = m == &method_everything ? (void *)&d.p : (void *)&d.o;

	if (by_text) {
		d.result = fields_read(d.arena, m->params(), d.text, strlen(json), &d.fd, out, &d.kept, &d.why);
	} else {
		d.result = json_read(json, strlen(json), &d.document, NULL);
		if (d.result == 0)
			d.result = fields_decode(d.arena, m->params(), d.document, &d.fd, out, &d.kept, &d.why);
	}
	return d;
}

static void release(struct decoded *d)
{
	if (d->result == 0) {
		fields_close(method_everything.params(), &d->p);
		fields_close(method_optional.params(), &d->o);
	}
	if (d->fd >= 0)
		close(d->fd);
	arena_free(d->arena);
	json_decref(d->kept);
	json_decref(d->document);
	free(d->text);
}

static void init(struct decoded *d)
{
	fields_init(method_everything.params(), &d->p, sizeof(d->p));
	fields_init(method_optional.params(), &d->o, sizeof(d->o));
}

static void check_everything(const struct everything_params *p)
{
	assert_string_equal(p->name, "n");
	assert_string_equal(p->word, "w");
	assert_int_equal(p->count, -5);
	assert_true(p->ratio == 0.5);
	assert_true(p->on);
	assert_string_equal(p->kind, "two");
	assert_int_equal(json_integer_value(json_object_get(p->more, "a")), 1);
	assert_int_equal(p->tags_count, 2);
	assert_string_equal(p->tags[1], "y");
	assert_string_equal(p->first->url, "u");
	assert_int_equal(p->first->ms, 7);
	assert_int_equal(p->steps_count, 2);
	assert_string_equal(p->steps[1].url, "b");
	assert_int_equal(p->steps[1].ms, 0);
	assert_true(p->state >= 0);
}

static void test_everything(void **state)
{
	(void)state;
	for (int by_text = 0; by_text < 2; by_text++) {
		struct decoded d = decode(by_text, &method_everything, GOOD, state_fd);
		if (d.result < 0)
			fail_msg("%s", d.why.message);
		assert_int_equal(d.fd, -1); /* claimed */
		check_everything(&d.p);
		close(d.p.state);
		init(&d);
		release(&d);
	}
}

static void replace(char *out, size_t size, const char *what, const char *with)
{
	const char *at = strstr(GOOD, what);

	assert_non_null(at);
	snprintf(out, size, "%.*s%s%s", (int)(at - GOOD), GOOD, with, at + strlen(what));
}

/* GOOD with one thing otherwise is refused, for that field, and claims no descriptor. */
static void refuse(const char *what, const char *with, const char *field, const char *sentence)
{
	char json[1024];

	replace(json, sizeof(json), what, with);
	for (int by_text = 0; by_text < 2; by_text++) {
		struct decoded d = decode(by_text, &method_everything, json, state_fd);
		if (d.result != -EREMOTEIO || d.why.code != ERR_invalid || strcmp(d.why.field, field) != 0 ||
			!strstr(d.why.message, sentence))
			fail_msg("%s: %d %s \"%s\"", json, d.result, d.why.field, d.why.message);
		assert_true(d.why.message[strlen(d.why.message) - 1] == '.');
		assert_int_equal(d.p.state, -1);
		release(&d);
	}
}

static void accept(const char *what, const char *with)
{
	char json[1024];

	replace(json, sizeof(json), what, with);
	for (int by_text = 0; by_text < 2; by_text++) {
		struct decoded d = decode(by_text, &method_everything, json, state_fd);
		if (d.result < 0)
			fail_msg("%s: %s", json, d.why.message);
		close(d.p.state);
		init(&d);
		release(&d);
	}
}

static void test_limits(void **state)
{
	(void)state;
	accept("\"n\"", "\"12345678\"");
	refuse("\"n\"", "\"123456789\"", "name", "9 bytes; at most 8");
	refuse("\"n\"", "\"\"", "name", "must not be empty");
	refuse("\"n\"", "\"\\u20ac\\u20ac\\u20ac\"", "name", "9 bytes"); /* bytes, not characters */
	refuse("\"w\"", "\"123456789\"", "word", "at most 8");
	accept("-5", "5");
	refuse("-5", "6", "count", "between -5 and 5, not 6");
	refuse("-5", "-6", "count", "between -5 and 5");
	accept("0.5", "2");
	accept("0.5", "-2e0");
	refuse("0.5", "2.0000001", "ratio", "between -2 and 2");
	refuse("\"two\"", "\"four\"", "kind", "one of one|two|three");
	refuse("\"two\"", "\"\"", "kind", "one of");
	refuse("\"two\"", "\"one|two\"", "kind", "one of");
	accept("{\"a\":1}", "{\"a\":12345678901234}");
	refuse("{\"a\":1}", "{\"a\":123456789012345}", "more", "21 bytes; at most 20");
	accept("[\"x\",\"y\"]", "[]");
	accept("[\"x\",\"y\"]", "[\"1\",\"2\",\"3\"]");
	refuse("[\"x\",\"y\"]", "[\"1\",\"2\",\"3\",\"4\"]", "tags", "at most 3 texts");
	refuse("[\"x\",\"y\"]", "[\"x\",\"12345\"]", "tags[1]", "at most 4");
	refuse("{\"url\":\"b\"}", "{\"url\":\"b\"},{\"url\":\"c\"},{\"url\":\"d\"}", "steps", "at most 3");
}

static void test_missing_and_unknown(void **state)
{
	(void)state;
	refuse("\"name\":\"n\",", "", "name", "name is missing. A name.");
	refuse("\"on\":true,", "", "on", "on is missing");
	refuse(",\"state\":8", "", "state", "state is missing");
	refuse("\"url\":\"u\",", "", "first.url", "url is missing");
	refuse("\"name\"", "\"nom\":1,\"name\"", "nom", "There is no parameter \"nom\" here");
	refuse("\"ms\":7", "\"mS\":7", "first.mS", "There is no parameter");
	refuse("{\"url\":\"b\"}", "{\"url\":\"b\",\"x\":{}}", "steps[1].x", "There is no parameter");
	refuse("\"name\"", "\"\":1,\"name\"", "", "There is no parameter");
}

static void test_wrong_kinds(void **state)
{
	static const struct {
		const char *what, *field;
	} rows[] = { { "\"n\"", "name" }, { "\"w\"", "word" }, { "-5", "count" }, { "0.5", "ratio" }, { "true", "on" },
		{ "\"two\"", "kind" }, { "{\"a\":1}", "more" }, { "[\"x\",\"y\"]", "tags" } };
	static const char *const others[] = { "null", "[0]", "1.5e1", "\"\\\"\"", "{}", "false" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t j = 0; j < sizeof(others) / sizeof(*others); j++) {
			bool fits = (i < 2 && j == 3) || (i == 4 && j == 5) || (i == 6 && j == 4);
			if (i == 7 && j == 1)
				refuse(rows[i].what, others[j], "tags[0]", "must be a text");
			else if (!fits)
				refuse(rows[i].what, others[j], rows[i].field, i == 3 && j == 2 ? "between" : "must");
		}
	refuse("{\"url\":\"u\",\"ms\":7}", "[]", "first", "must be an object");
	refuse("{\"url\":\"b\"}", "null", "steps[1]", "must be an object");
	refuse("[{\"url\":\"a\"},{\"url\":\"b\"}]", "{}", "steps", "must be a list");
	refuse("\"url\":\"b\"", "\"url\":5", "steps[1].url", "must be a text");
	refuse("-5", "5.0", "count", "whole number");
}

static void test_descriptors(void **state)
{
	int unsealed = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING), plain = open("/dev/null", O_RDONLY | O_CLOEXEC), large;
	char big[101] = "";
	struct { int fd; const char *sentence; } cases[] = { { -1, "none came" }, { unsealed, "not sealed" },
		{ plain, "did not come as a memfd" }, { -1, "larger than 100 bytes" } };

	(void)state;
	assert_int_equal(write(unsealed, "12345678", 8), 8);
	assert_int_equal(memfd_new("x", big, sizeof(big), &large), 0);
	cases[3].fd = large;
	for (int i = 0; i < 8; i++) {
		struct decoded d = decode(i & 1, &method_everything, GOOD, cases[i / 2].fd);
		assert_int_equal(d.result, -EREMOTEIO);
		assert_string_equal(d.why.field, "state");
		assert_non_null(strstr(d.why.message, cases[i / 2].sentence));
		release(&d);
	}
	refuse(":8}", ":9}", "state", "size that the frame says");
	refuse(":8}", ":-1}", "state", "size that the frame says");
	refuse(":8}", ":8.0}", "state", "size that the frame says");
	refuse(":8}", ":null}", "state", "size that the frame says");
	close(unsealed);
	close(plain);
	close(large);
}

/* A descriptor that was claimed before something later is refused is closed, not left in the struct. */
static void test_refused_after_descriptor(void **state)
{
	static const char json[] = "{\"state\":8,\"name\":\"\"}";

	(void)state;
	for (int by_text = 0; by_text < 2; by_text++) {
		int next = dup(0);
		close(next);
		struct decoded d = decode(by_text, &method_everything, json, state_fd);
		assert_int_equal(d.result, -EREMOTEIO);
		assert_int_equal(d.p.state, -1);
		release(&d);
		int after = dup(0);
		assert_int_equal(after, next);
		close(after);
	}
}

static void test_malformed(void **state)
{
	static const char *const texts[] = { "{\"name\":\"n\",\"name\":\"n\"}",
		"{\"name\":\"\xff\"}", "{\"more\":{\"a\":1,\"a\":2}}",
		"{\"tags\":[\"x\",]}", "{\"count\":01}", "{\"name\" \"n\"}", "{\"on\":tru}", "{\"steps\":[{]}", "", "{\"first\":{\"url\":\"u\",\"url\":\"u\"}}",
		"{\"name\":\"n\"", "{\"name\":nul}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct decoded d = decode(true, &method_optional, texts[i], -1);
		if (d.result != -EBADMSG || d.why.code != ERR_malformed || !d.why.message[0])
			fail_msg("%s: %d %s", texts[i], d.result, d.why.message);
		release(&d);
	}
}

static struct refusal broken_why;

static void expect_broken(const struct everything_params *p, const char *field)
{
	struct bytes t = { 0 };
	int fd;

	assert_int_equal(fields_write(&t, method_everything.params(), p, &fd, &broken_why), -EINVAL);
	assert_string_equal(broken_why.field, field);
	bytes_free(&t);
}

/* Our own mistakes are found before they are sent. */
static void test_broken_structs(void **state)
{
	const char *tags[] = { "a", "b", "c", "d" };
	struct step steps[4] = { { "u", 1 }, { "u", 0 }, { "u", 2000 }, { NULL, 0 } };
	json_auto_t *more = json_object(), *list = json_array(), *much = json_pack("{s:s}", "a", "0123456789012345");
	struct everything_params good = { .name = "n", .word = "w", .ratio = 1, .kind = "one", .more = more, .first = steps,
		.state = state_fd }, p;

	(void)state;
#define BREAK(field, value, path) p = good, p.field = (value), expect_broken(&p, path)
	BREAK(name, NULL, "name");
	BREAK(name, "", "name");
	BREAK(name, "123456789", "name");
	BREAK(name, "\xff", "name");
	BREAK(word, NULL, "word");
	BREAK(count, 6, "count");
	BREAK(ratio, 3, "ratio");
	BREAK(ratio, NAN, "ratio");
	BREAK(ratio, INFINITY, "ratio");
	BREAK(kind, "four", "kind");
	BREAK(kind, NULL, "kind");
	BREAK(more, NULL, "more");
	BREAK(more, list, "more");
	BREAK(more, much, "more");
	BREAK(first, NULL, "first");
	BREAK(first, steps + 2, "ms");
	BREAK(first, steps + 3, "url");
	BREAK(state, -1, "state");
	BREAK(state, 0, "state");
	p = good, p.tags = tags, p.tags_count = 4, expect_broken(&p, "tags");
	p = good, p.steps = steps, p.steps_count = 4, expect_broken(&p, "steps");
}

static void test_zero_is_not_sent(void **state)
{
	struct optional_params p, back;
	struct bytes t = { 0 };
	struct refusal why;
	int fd = 5;

	(void)state;
	fields_init(method_optional.params(), &p, sizeof(p));
	assert_int_equal(p.socket, -1);
	assert_int_equal(fields_write(&t, method_optional.params(), &p, &fd, &why), 0);
	assert_int_equal(fd, -1);
	bytes_put(&t, "", 1);
	assert_string_equal(t.p, "{}");
	memset(&back, 0xff, sizeof(back));
	fields_init(method_optional.params(), &back, sizeof(back));
	assert_int_equal(fields_read(NULL, method_optional.params(), t.p, 2, &fd, &back, NULL, &why), 0);
	assert_memory_equal(&back, &p, sizeof(p));
	bytes_free(&t);
}

/* Values made by the rows: each at one end of what it may be, chosen by a counter that goes through all of them. */
struct maker {
	struct arena *arena;
	json_t *kept;
	unsigned turn;
	int memory, handle;
};

static bool coin(struct maker *k)
{
	return ++k->turn * 2654435761u >> 30 & 1;
}

static void make_object(struct maker *k, const struct field *rows, void *out);

static const char *make_text(struct maker *k, int64_t most)
{
	size_t n = coin(k) ? 1 : most > 300 ? 300 : (size_t)most;
	char *s = arena_alloc(k->arena, n + 1);

	for (size_t i = 0; i < n; i++)
		s[i] = "a\"\\\n\x1f/ z"[(i + k->turn) % 8];
	return s;
}

static const char *make_word(struct maker *k, const char *words)
{
	size_t count = 1, n;

	for (const char *c = words; *c; c++)
		count += *c == '|';
	for (n = k->turn++ % count; n; n--)
		words = strchr(words, '|') + 1;
	return arena_memdup(k->arena, words, strcspn(words, "|"));
}

static void make_items(struct maker *k, const struct field *f, void *base)
{
	size_t n = coin(k) ? 0 : f->most > 3 ? 3 : (size_t)f->most, size = f->kind == FIELD_STRS ? sizeof(char *) : f->size;
	char *items = arena_array(k->arena, n, size);

	for (size_t i = 0; i < n; i++) {
		if (f->kind == FIELD_STRS)
			((const char **)(void *)items)[i] = make_text(k, f->each);
		else
			make_object(k, f->type(), items + i * size);
	}
	*(void **)((char *)base + f->offset) = items;
	*(size_t *)(void *)((char *)base + f->count_offset) = n;
}

static json_t *make_json(struct maker *k)
{
	json_t *object = json_pack("{s:s, s:[i, b, n]}", "text", make_text(k, 3), "list", (int)k->turn, 1);

	assert_int_equal(json_array_append_new(k->kept, object), 0);
	return object;
}

static void make_value(struct maker *k, const struct field *f, void *base)
{
	void *at = (char *)base + f->offset;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET: *(const char **)at = make_text(k, f->most); break;
	case FIELD_INT: *(int64_t *)at = coin(k) ? f->most : f->least; break;
	case FIELD_REAL: *(double *)at = coin(k) ? (double)f->most - 0.125 : (double)f->least + 1e-7; break;
	case FIELD_BOOL: *(bool *)at = coin(k); break;
	case FIELD_ENUM: *(const char **)at = make_word(k, f->words); break;
	case FIELD_JSON: *(json_t **)at = make_json(k); break;
	case FIELD_STRS:
	case FIELD_LIST: make_items(k, f, base); break;
	case FIELD_OBJ:
		*(void **)at = arena_alloc(k->arena, f->size);
		make_object(k, f->type(), *(void **)at);
		break;
	case FIELD_MEMFD: *(int *)at = k->memory; break;
	case FIELD_HANDLE: *(int *)at = k->handle; break;
	case FIELD_END:
	case FIELD_OPTIONAL: fail();
	}
}

static void make_object(struct maker *k, const struct field *rows, void *out)
{
	bool skip = false;

	for (const struct field *f = rows; f->kind != FIELD_END; f++) {
		if (f->kind == FIELD_OPTIONAL)
			skip = coin(k);
		else if (skip)
			skip = false;
		else
			make_value(k, f, out);
	}
}

static void compare_objects(const struct field *rows, const void *a, const void *b);

static void compare_values(const struct field *f, const void *a, const void *b)
{
	const char *p = (const char *)a + f->offset, *q = (const char *)b + f->offset;
#define AT(type, where) (*(type const *)(const void *)(where))

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET:
	case FIELD_ENUM:
		if (AT(char *, p) || AT(char *, q))
			assert_string_equal(AT(char *, p), AT(char *, q));
		break;
	case FIELD_INT: assert_true(AT(int64_t, p) == AT(int64_t, q)); break;
	case FIELD_REAL: assert_true(AT(double, p) == AT(double, q)); break;
	case FIELD_BOOL: assert_true(AT(bool, p) == AT(bool, q)); break;
	case FIELD_JSON: assert_true(AT(void *, p) == AT(void *, q) || json_equal(AT(json_t *, p), AT(json_t *, q))); break;
	case FIELD_OBJ:
		assert_true(!AT(void *, p) == !AT(void *, q));
		if (AT(void *, p))
			compare_objects(f->type(), AT(void *, p), AT(void *, q));
		break;
	case FIELD_STRS:
	case FIELD_LIST: {
		size_t n = AT(size_t, (const char *)a + f->count_offset);
		assert_int_equal(n, AT(size_t, (const char *)b + f->count_offset));
		for (size_t i = 0; i < n; i++) {
			if (f->kind == FIELD_LIST)
				compare_objects(f->type(), AT(char *, p) + i * f->size, AT(char *, q) + i * f->size);
			else
				assert_string_equal(AT(char **, p)[i], AT(char **, q)[i]);
		}
		break;
	}
	case FIELD_MEMFD:
	case FIELD_HANDLE: assert_true((AT(int, p) < 0) == (AT(int, q) < 0)); break;
	case FIELD_END:
	case FIELD_OPTIONAL: break;
	}
}

static void compare_objects(const struct field *rows, const void *a, const void *b)
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++)
		if (f->kind != FIELD_OPTIONAL)
			compare_values(f, a, b);
}

static void there_and_back(const char *name, const struct field *rows, size_t size, unsigned turn)
{
	struct maker k = { .arena = arena_new(0), .kept = json_array(), .turn = turn, .memory = state_fd, .handle = 0 };
	void *in = calloc(1, size + 1), *out = calloc(1, size + 1);
	json_t *kept = NULL, *document = NULL;
	struct bytes t = { 0 };
	struct refusal why;
	int fd, given;

	fields_init(rows, in, size);
	make_object(&k, rows, in);
	if (fields_write(&t, rows, in, &fd, &why) < 0)
		fail_msg("%s: %s", name, why.message);
	assert_int_equal(json_read(t.p, t.n, &document, NULL), 0); /* jansson agrees that it is JSON */
	given = fd < 0 ? -1 : dup(fd);
	fields_init(rows, out, size);
	bytes_put(&t, "", 1);
	if (fields_read(k.arena, rows, t.p, t.n - 1, &given, out, &kept, &why) < 0)
		fail_msg("%s: %s: %s", name, why.field, why.message);
	compare_objects(rows, in, out);
	fields_close(rows, out);
	given = fd < 0 ? -1 : dup(fd);
	fields_init(rows, out, size);
	json_decref(kept);
	kept = NULL;
	assert_int_equal(fields_decode(k.arena, rows, document, &given, out, &kept, &why), 0);
	compare_objects(rows, in, out);
	fields_close(rows, out);
	json_decref(kept);
	json_decref(document);
	json_decref(k.kept);
	bytes_free(&t);
	arena_free(k.arena);
	free(in);
	free(out);
}

static void test_every_row(void **state)
{
	static const struct method_list *const lists[] = { &authd_methods, &streamd_methods, &sessiond_methods, &botd_methods,
		&viewer_methods, &launcher_methods };
	size_t done = 0;

	(void)state;
	for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			for (unsigned turn = 0; turn < 50; turn++, done++) {
				const struct method *m = lists[l]->methods[i];
				there_and_back(m->name, m->params(), m->params_size, turn);
				if (!m->event)
					there_and_back(m->name, m->result(), m->result_size, turn);
			}
	assert_true(done >= 50 * 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_missing_and_unknown),
		cmocka_unit_test(test_wrong_kinds),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_refused_after_descriptor),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_broken_structs),
		cmocka_unit_test(test_zero_is_not_sent),
		cmocka_unit_test(test_every_row),
	};

	json_cleanse();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
