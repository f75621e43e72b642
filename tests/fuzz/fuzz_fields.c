/*
 * The rows of every .def against any text. The first byte chooses the method, the second whether its params or its result;
 * the rest is JSON. What decodes must encode, and decode again to the same; the reader of texts and the reader of
 * documents must agree.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/field.h"
#include "proto/json.h"
#include "proto/launcher.h"
#include "proto/sessiond.h"
#include "proto/streamd.h"
#include "proto/text.h"
#include "proto/viewer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct method_list *const lists[] = { &authd_methods, &streamd_methods, &sessiond_methods, &botd_methods,
	&viewer_methods, &launcher_methods };

struct subject {
	const struct field *rows;
	size_t size;
};

static struct subject choose(uint8_t which, uint8_t end)
{
	const struct method *m = NULL;
	size_t count = 0, i = 0;

	for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++)
		count += lists[l]->count;
	i = which % count;
	for (size_t l = 0; !m; l++) {
		if (i < lists[l]->count)
			m = lists[l]->methods[i];
		else
			i -= lists[l]->count;
	}
	if (!m->event && end & 1)
		return (struct subject){ m->result(), m->result_size };
	return (struct subject){ m->params(), m->params_size };
}

/* One decoding of a text and what it holds. */
struct decoded {
	struct arena *arena;
	json_t *kept;
	char *text;
	void *out;
	int result;
	struct refusal why;
};

static struct decoded read_text(const struct subject *s, const char *p, size_t n)
{
	struct decoded d = { .arena = arena_new(0), .text = malloc(n + 1), .out = calloc(1, s->size + 1) };
	int fd = -1;

	memcpy(d.text, p, n);
	d.text[n] = '\0';
	d.result = fields_read(d.arena, s->rows, d.text, n, &fd, d.out, &d.kept, &d.why);
	if (d.result < 0 && !d.why.message[0])
		abort();
	return d;
}

static void decoded_free(struct decoded *d)
{
	arena_free(d->arena);
	json_decref(d->kept);
	free(d->text);
	free(d->out);
}

static void write(const struct subject *s, const void *in, struct bytes *ret)
{
	struct refusal why;
	int fd;

	if (fields_write(ret, s->rows, in, &fd, &why) < 0)
		abort(); /* what was accepted keeps to its rows */
}

static void compare_with_document(const struct subject *s, const struct decoded *d, const char *p, size_t n)
{
	struct arena *arena = arena_new(0);
	void *out = calloc(1, s->size + 1);
	struct bytes a = { 0 }, b = { 0 };
	struct refusal why;
	json_t *document = NULL, *kept = NULL;
	int fd = -1, r = json_read(p, n, &document, NULL);

	if (r == 0)
		r = fields_decode(arena, s->rows, document, &fd, out, &kept, &why);
	if ((r == 0) != (d->result == 0))
		abort();
	if (r == 0) {
		write(s, d->out, &a);
		write(s, out, &b);
		if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
			abort();
	}
	bytes_free(&a);
	bytes_free(&b);
	json_decref(kept);
	json_decref(document);
	free(out);
	arena_free(arena);
}

static void round_trip(const struct subject *s, const struct decoded *d)
{
	struct bytes first = { 0 }, second = { 0 };
	struct decoded again;

	write(s, d->out, &first);
	again = read_text(s, first.p, first.n);
	if (again.result < 0)
		abort();
	write(s, again.out, &second);
	if (first.n != second.n || memcmp(first.p, second.p, first.n) != 0)
		abort();
	decoded_free(&again);
	bytes_free(&first);
	bytes_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct subject s;
	struct decoded d;

	if (size < 2)
		return 0;
	json_cleanse();
	s = choose(data[0], data[1]);
	d = read_text(&s, (const char *)data + 2, size - 2);
	compare_with_document(&s, &d, (const char *)data + 2, size - 2);
	if (d.result == 0)
		round_trip(&s, &d);
	decoded_free(&d);
	return 0;
}
