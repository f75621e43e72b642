#include "proto/field.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memfd.h"
#include "common/span.h"
#include "proto/field_check.h"
#include "proto/scan.h"
#include "proto/text.h"

#define FIRST_ITEMS 8

/* The text that is read, and everything a row is checked with. */
struct reader {
	struct decoder d;
	struct scan s;
};

static int field_text_read_object(struct reader *r, const struct place *at, const struct field *rows, void *out);

/* What is not JSON is no matter of a row. */
static int field_text_malformed(const struct reader *r)
{
	refusal_set(r->d.why, ERR_malformed, NULL, "%s", r->s.why);
	return -EBADMSG;
}

/* A value of another kind than the row wants: malformed if it is none at all. */
static int wrong_kind(struct reader *r, const struct place *at, const struct field *f)
{
	return scan_skip(&r->s, NULL) ? field_refuse_kind(&r->d, at, f) : field_text_malformed(r);
}

static int field_text_read_text(struct reader *r, const struct place *at, const struct field *f, const char **out)
{
	char *text;

	if (scan_peek(&r->s) != '"')
		return wrong_kind(r, at, f);
	if (!scan_text(&r->s, &text))
		return field_text_malformed(r);
	if (f->kind == FIELD_ENUM)
		return field_take_enum(&r->d, at, f, text, out);
	return field_take_text(&r->d, at, f, text, strlen(text), out);
}

static int read_number(struct reader *r, const struct place *at, const struct field *f, void *out)
{
	struct scan_number n;
	char c = scan_peek(&r->s);

	if (c != '-' && (c < '0' || c > '9'))
		return wrong_kind(r, at, f);
	if (!scan_number(&r->s, &n))
		return field_text_malformed(r);
	if (f->kind == FIELD_REAL)
		return field_take_real(&r->d, at, f, n.real ? n.value : (double)n.whole, out);
	return n.real ? field_refuse_kind(&r->d, at, f) : field_take_int(&r->d, at, f, n.whole, out);
}

static int read_bool(struct reader *r, const struct place *at, const struct field *f, bool *out)
{
	char c = scan_peek(&r->s);

	if (c != 't' && c != 'f')
		return wrong_kind(r, at, f);
	return scan_flag(&r->s, out) ? 0 : field_text_malformed(r);
}

/* The only kind that becomes a document: jansson reads it again, for it notices names that stand twice. */
static int read_json(struct reader *r, const struct place *at, const struct field *f, json_t **out)
{
	struct raw_json raw;
	json_t *value;

	if (scan_peek(&r->s) != '{')
		return wrong_kind(r, at, f);
	if (!scan_skip(&r->s, &raw))
		return field_text_malformed(r);
	value = json_loadb(raw.p, raw.n, JSON_REJECT_DUPLICATES, NULL);
	if (!value) {
		r->s.why = "The same name stands twice in one object.";
		return field_text_malformed(r);
	}
	if (!*r->d.keep)
		*r->d.keep = json_array();
	if (json_array_append_new(*r->d.keep, value) != 0)
		abort();
	return field_take_json(&r->d, at, f, value, out);
}

/* The row of a list says how many items there may be; the room for them grows with what comes. */
static char *make_room(struct reader *r, char *items, size_t n, size_t *room, size_t size)
{
	char *grown;

	if (n < *room)
		return items;
	*room = *room ? *room * 2 : FIRST_ITEMS;
	grown = arena_array(r->d.arena, *room, size);
	if (n)
		memcpy(grown, items, n * size);
	return grown;
}

static int read_list(struct reader *r, const struct place *at, const struct field *f, void *base)
{
	struct field each = { .name = f->name, .kind = FIELD_STR, .most = f->each };
	size_t size = f->kind == FIELD_STRS ? sizeof(char *) : f->size, room = 0, n = 0;
	char *items = make_room(r, NULL, 0, &room, size);
	int e = 0;

	if (scan_peek(&r->s) != '[')
		return wrong_kind(r, at, f);
	scan_open(&r->s, '[');
	for (; e == 0 && scan_more(&r->s, ']'); n++) {
		struct place here = { .parent = at, .index = (long)n };
		if (n == (size_t)f->most)
			return field_refuse_kind(&r->d, at, f);
		items = make_room(r, items, n, &room, size);
		if (f->kind == FIELD_STRS)
			e = field_text_read_text(r, &here, &each, (const char **)(void *)(items + n * size));
		else
			e = field_text_read_object(r, &here, f->type(), items + n * size);
	}
	*(void **)((char *)base + f->offset) = items;
	*(size_t *)((char *)base + f->count_offset) = n;
	return e == 0 && r->s.why ? field_text_malformed(r) : e;
}

static int read_fd(struct reader *r, const struct place *at, const struct field *f, int *out)
{
	struct scan_number n = { .real = true };
	char c = scan_peek(&r->s);

	if (c == '-' || (c >= '0' && c <= '9'))
		scan_number(&r->s, &n);
	else
		scan_skip(&r->s, NULL);
	return r->s.why ? field_text_malformed(r) : field_take_fd(&r->d, at, f, n.real ? -1 : n.whole, out);
}

static int read_value(struct reader *r, const struct place *at, const struct field *f, void *base)
{
	void *out = (char *)base + f->offset;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET:
	case FIELD_ENUM: return field_text_read_text(r, at, f, out);
	case FIELD_INT:
	case FIELD_REAL: return read_number(r, at, f, out);
	case FIELD_BOOL: return read_bool(r, at, f, out);
	case FIELD_JSON: return read_json(r, at, f, out);
	case FIELD_STRS:
	case FIELD_LIST: return read_list(r, at, f, base);
	case FIELD_OBJ:
		*(void **)out = arena_alloc(r->d.arena, f->size);
		return field_text_read_object(r, at, f->type(), *(void **)out);
	case FIELD_MEMFD:
	case FIELD_HANDLE: return read_fd(r, at, f, out);
	case FIELD_END:
	case FIELD_OPTIONAL: break;
	}
	return 0;
}

/* Members mostly come in the order of the rows, so the search goes on where the last one was found. */
static const struct field *find_row(const struct field *rows, const struct field *hint, const char *name)
{
	const struct field *f = hint;

	do {
		if (f->kind == FIELD_END)
			f = rows;
		else if (f->name && strcmp(f->name, name) == 0)
			return f;
		else
			f++;
	} while (f != hint && !(f->kind == FIELD_END && hint == rows));
	return NULL;
}

static int check_missing(struct reader *r, const struct place *at, const struct field *rows, uint64_t seen)
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++) {
		if (f->kind == FIELD_OPTIONAL)
			f++;
		else if (!(seen & UINT64_C(1) << (f - rows)))
			return field_refuse_missing(&r->d, at, f);
	}
	return 0;
}

static int read_members(struct reader *r, const struct place *at, const struct field *rows, void *out,
	uint64_t *seen)
{
	const struct field *f = rows;
	char *name;
	int e = 0;

	while (e == 0 && scan_more(&r->s, '}')) {
		if (!scan_name(&r->s, &name))
			break;
		f = find_row(rows, f, name);
		if (!f)
			return field_refuse_unknown(&r->d, at, name);
		if (*seen & UINT64_C(1) << (f - rows)) {
			r->s.why = "The same name stands twice in one object.";
			break;
		}
		*seen |= UINT64_C(1) << (f - rows);
		struct place here = { .parent = at, .name = f->name, .index = -1 };
		e = read_value(r, &here, f++, out);
	}
	return e == 0 && r->s.why ? field_text_malformed(r) : e;
}

static int field_text_read_object(struct reader *r, const struct place *at, const struct field *rows, void *out)
{
	uint64_t seen = 0; /* a row's bit; FIELDS_MOST of them */
	int e;

	if (scan_peek(&r->s) != '{')
		return scan_skip(&r->s, NULL) ? field_refuse(&r->d, at, "This must be an object.") : field_text_malformed(r);
	if (!scan_open(&r->s, '{'))
		return field_text_malformed(r);
	e = read_members(r, at, rows, out, &seen);
	return e == 0 ? check_missing(r, at, rows, seen) : e;
}

int fields_read(struct arena *arena, const struct field *rows, char *text, size_t n, int *fd, void *out, json_t **keep,
	struct refusal *why)
{
	struct reader r = { .d = { .arena = arena, .fd = fd, .keep = keep, .why = why }, .s = scan_begin(text, n) };
	int e;

	fields_init(rows, out, 0);
	e = field_text_read_object(&r, NULL, rows, out);
	if (e == 0 && !scan_end(&r.s))
		e = field_text_malformed(&r);
	if (e < 0)
		fields_close(rows, out);
	return e;
}

/* One encoding under way. */
struct writer {
	struct bytes *text;
	int fd;
	struct refusal *why;
};

static int write_object(struct writer *w, const struct field *rows, const void *in);

static bool is_zero(const struct field *f, const void *in)
{
	const char *at = (const char *)in + f->offset;

	switch (f->kind) {
	case FIELD_INT: return *(const int64_t *)(const void *)at == 0;
	case FIELD_REAL: return *(const double *)(const void *)at == 0;
	case FIELD_BOOL: return !*(const bool *)(const void *)at;
	case FIELD_STRS:
	case FIELD_LIST: return *(const size_t *)(const void *)((const char *)in + f->count_offset) == 0;
	case FIELD_MEMFD:
	case FIELD_HANDLE: return *(const int *)(const void *)at < 0;
	default: return !*(void *const *)(const void *)at;
	}
}

static int broken(struct writer *w, const struct field *f, const char *what)
{
	refusal_set(w->why, ERR_internal, f->name, "%s %s.", f->name, what);
	return -EINVAL;
}

static int write_text(struct writer *w, const struct field *f, const char *s, int64_t most)
{
	size_t n = s ? strlen(s) : 0;

	if (n == 0 || n > (size_t)most)
		return broken(w, f, n == 0 ? "is empty" : "is too long");
	return text_string(w->text, s, n) ? 0 : broken(w, f, "is not UTF-8");
}

static int write_enum(struct writer *w, const struct field *f, const char *s)
{
	if (!s || !span_lists(f->words, "|", s))
		return broken(w, f, "is none of its words");
	return text_string(w->text, s, strlen(s)) ? 0 : broken(w, f, "is not UTF-8");
}

static int write_int(struct writer *w, const struct field *f, int64_t n)
{
	if (n < f->least || n > f->most)
		return broken(w, f, "is out of its range");
	text_whole(w->text, n);
	return 0;
}

static int write_real(struct writer *w, const struct field *f, double n)
{
	if (!(n >= (double)f->least && n <= (double)f->most)) /* a NaN is in no range */
		return broken(w, f, "is out of its range");
	text_real(w->text, n);
	return 0;
}

static int write_json(struct writer *w, const struct field *f, const json_t *value)
{
	size_t before = w->text->n;

	if (!json_is_object(value))
		return broken(w, f, value ? "is not an object" : "is empty");
	text_json(w->text, value);
	return w->text->n - before > (size_t)f->most ? broken(w, f, "is too long") : 0;
}

static int write_list(struct writer *w, const struct field *f, const void *in)
{
	const char *items = *(const char *const *)(const void *)((const char *)in + f->offset);
	size_t n = *(const size_t *)(const void *)((const char *)in + f->count_offset);
	int e = 0;

	if (n > (size_t)f->most)
		return broken(w, f, "has too many items");
	bytes_put(w->text, "[", 1);
	for (size_t i = 0; i < n && e == 0; i++) {
		bytes_put(w->text, ",", i > 0);
		if (f->kind == FIELD_STRS)
			e = write_text(w, f, ((const char *const *)(const void *)items)[i], f->each);
		else
			e = write_object(w, f->type(), items + i * f->size);
	}
	bytes_put(w->text, "]", 1);
	return e;
}

static int write_fd(struct writer *w, const struct field *f, int fd)
{
	size_t size = 0;

	if (fd < 0 || w->fd >= 0)
		return broken(w, f, fd < 0 ? "has no descriptor" : "is a second descriptor");
	if (f->kind == FIELD_MEMFD && memfd_check(fd, (size_t)f->most, &size) < 0)
		return broken(w, f, "is not a sealed memfd of an allowed size");
	w->fd = fd;
	text_whole(w->text, (int64_t)size);
	return 0;
}

static int write_value(struct writer *w, const struct field *f, const void *in)
{
	const void *at = (const char *)in + f->offset;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET: return write_text(w, f, *(const char *const *)at, f->most);
	case FIELD_ENUM: return write_enum(w, f, *(const char *const *)at);
	case FIELD_INT: return write_int(w, f, *(const int64_t *)at);
	case FIELD_REAL: return write_real(w, f, *(const double *)at);
	case FIELD_BOOL: bytes_puts(w->text, *(const bool *)at ? "true" : "false"); return 0;
	case FIELD_JSON: return write_json(w, f, *(json_t *const *)at);
	case FIELD_STRS:
	case FIELD_LIST: return write_list(w, f, in);
	case FIELD_OBJ:
		if (!*(void *const *)at)
			return broken(w, f, "is empty");
		return write_object(w, f->type(), *(void *const *)at);
	case FIELD_MEMFD:
	case FIELD_HANDLE: return write_fd(w, f, *(const int *)at);
	case FIELD_END:
	case FIELD_OPTIONAL: break;
	}
	return -EINVAL;
}

static int write_object(struct writer *w, const struct field *rows, const void *in)
{
	bool optional = false, first = true;
	int e = 0;

	bytes_put(w->text, "{", 1);
	for (const struct field *f = rows; f->kind != FIELD_END && e == 0; f++) {
		if (f->kind == FIELD_OPTIONAL) {
			optional = true;
			continue;
		}
		if (!optional || !is_zero(f, in)) {
			bytes_puts(w->text, first ? "\"" : ",\"");
			bytes_puts(w->text, f->name);
			bytes_put(w->text, "\":", 2);
			first = false;
			e = write_value(w, f, in);
		}
		optional = false;
	}
	bytes_put(w->text, "}", 1);
	return e;
}

int fields_write(struct bytes *text, const struct field *rows, const void *in, int *ret_fd, struct refusal *why)
{
	struct writer w = { .text = text, .fd = -1, .why = why };
	int e = write_object(&w, rows, in);

	if (e == 0)
		*ret_fd = w.fd;
	return e;
}
