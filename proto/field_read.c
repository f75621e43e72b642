#include "proto/field.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/memfd.h"
#include "common/span.h"
#include "common/words.h"
#include "proto/json.h"
#include "proto/scan.h"

#define FIRST_ITEMS 8

/* One reading under way: the text, what is drawn from, and what it is refused with. */
struct reader {
	struct scan s;
	struct arena *arena;
	int *fd;
	json_t **keep; /* the documents that were made */
	struct refusal *why;
};

/* Where a value stands, for "steps[2].url"; links up the stack. */
struct place {
	const struct place *parent;
	const char *name;
	long index; /* -1: not in a list */
};

static int field_read_object(struct reader *r, const struct place *at, const struct field *rows, void *out);

static void field_place_print(const struct place *p, char *out, size_t size)
{
	if (!p)
		return;
	field_place_print(p->parent, out, size);
	if (p->index >= 0)
		words_add(out, size, "[%ld]", p->index);
	else
		words_add(out, size, "%s%s", *out ? "." : "", p->name);
}

/* Refuses the value at that place; the format is of a sentence. */
__attribute__((format(printf, 3, 4))) static int field_refuse(struct reader *r, const struct place *at, const char *format, ...)
{
	char path[sizeof(r->why->field)] = "", message[512];
	va_list args;

	field_place_print(at, path, sizeof(path));
	va_start(args, format);
	words_set_v(message, sizeof(message), format, args);
	va_end(args);
	refusal_set(r->why, ERR_invalid, path, "%s", message);
	return -EREMOTEIO;
}

static int refuse_kind(struct reader *r, const struct place *at, const struct field *f)
{
	const char *name = f->name;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET: return field_refuse(r, at, "%s must be a text.", name);
	case FIELD_INT: return field_refuse(r, at, "%s must be a whole number.", name);
	case FIELD_REAL: return field_refuse(r, at, "%s must be a number.", name);
	case FIELD_BOOL: return field_refuse(r, at, "%s must be true or false.", name);
	case FIELD_ENUM: return field_refuse(r, at, "%s must be one of %s.", name, f->words);
	case FIELD_JSON: return field_refuse(r, at, "%s must be an object.", name);
	case FIELD_STRS: return field_refuse(r, at, "%s must be a list of at most %lld texts.", name, (long long)f->most);
	case FIELD_LIST: return field_refuse(r, at, "%s must be a list of at most %lld.", name, (long long)f->most);
	default: return field_refuse(r, at, "This must be an object.");
	}
}

/* What is not JSON is no matter of a row. */
static int field_malformed(const struct reader *r)
{
	refusal_set(r->why, ERR_malformed, NULL, "%s", r->s.why);
	return -EBADMSG;
}

/* A value of another kind than the row wants: malformed if it is none at all. */
static int wrong_kind(struct reader *r, const struct place *at, const struct field *f)
{
	return scan_skip(&r->s, NULL) ? refuse_kind(r, at, f) : field_malformed(r);
}

static int check_size(struct reader *r, const struct place *at, const struct field *f, size_t n)
{
	if (n <= (size_t)f->most)
		return 0;
	return field_refuse(r, at, "%s has %zu bytes; at most %lld are allowed.", f->name, n, (long long)f->most);
}

static int field_read_text(struct reader *r, const struct place *at, const struct field *f, char **out)
{
	if (scan_peek(&r->s) != '"')
		return wrong_kind(r, at, f);
	if (!scan_text(&r->s, out))
		return field_malformed(r);
	if (f->kind == FIELD_ENUM)
		return span_lists(f->words, "|", *out) ? 0 : refuse_kind(r, at, f);
	return **out ? check_size(r, at, f, strlen(*out)) : field_refuse(r, at, "%s must not be empty.", f->name);
}

static int check_real(struct reader *r, const struct place *at, const struct field *f, double n, double *out)
{
	*out = n;
	if (n >= (double)f->least && n <= (double)f->most)
		return 0;
	return field_refuse(r, at, "%s must be between %lld and %lld.", f->name, (long long)f->least, (long long)f->most);
}

static int check_int(struct reader *r, const struct place *at, const struct field *f, int64_t n, int64_t *out)
{
	*out = n;
	if (n >= f->least && n <= f->most)
		return 0;
	return field_refuse(r, at, "%s must be between %lld and %lld, not %lld.", f->name, (long long)f->least,
		(long long)f->most, (long long)n);
}

static int read_number(struct reader *r, const struct place *at, const struct field *f, void *out)
{
	struct scan_number n;
	char c = scan_peek(&r->s);

	if (c != '-' && (c < '0' || c > '9'))
		return wrong_kind(r, at, f);
	if (!scan_number(&r->s, &n))
		return field_malformed(r);
	if (f->kind == FIELD_REAL)
		return check_real(r, at, f, n.real ? n.value : (double)n.whole, out);
	return n.real ? refuse_kind(r, at, f) : check_int(r, at, f, n.whole, out);
}

static int read_bool(struct reader *r, const struct place *at, const struct field *f, bool *out)
{
	char c = scan_peek(&r->s);

	if (c != 't' && c != 'f')
		return wrong_kind(r, at, f);
	return scan_flag(&r->s, out) ? 0 : field_malformed(r);
}

/* The only kind that becomes a document: jansson reads it again, for it notices names that stand twice. */
static int read_json(struct reader *r, const struct place *at, const struct field *f, json_t **out)
{
	struct raw_json raw;
	json_t *value;

	if (scan_peek(&r->s) != '{')
		return wrong_kind(r, at, f);
	if (!scan_skip(&r->s, &raw))
		return field_malformed(r);
	value = json_loadb(raw.p, raw.n, JSON_REJECT_DUPLICATES, NULL);
	if (!value) {
		r->s.why = "The same name stands twice in one object.";
		return field_malformed(r);
	}
	if (!*r->keep)
		*r->keep = json_array();
	if (json_array_append_new(*r->keep, value) != 0)
		abort();
	*out = value;
	return check_size(r, at, f, json_dumpb(value, NULL, 0, JSON_COMPACT));
}

/* The row of a list says how many items there may be; the room for them grows with what comes. */
static char *make_room(struct reader *r, char *items, size_t n, size_t *room, size_t size)
{
	char *grown;

	if (n < *room)
		return items;
	*room = *room ? *room * 2 : FIRST_ITEMS;
	grown = arena_array(r->arena, *room, size);
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
			return refuse_kind(r, at, f);
		items = make_room(r, items, n, &room, size);
		if (f->kind == FIELD_STRS)
			e = field_read_text(r, &here, &each, (char **)(void *)(items + n * size));
		else
			e = field_read_object(r, &here, f->type(), items + n * size);
	}
	*(void **)((char *)base + f->offset) = items;
	*(size_t *)((char *)base + f->count_offset) = n;
	return e == 0 && r->s.why ? field_malformed(r) : e;
}

/* said: its size, as the text has it, or -1 if that says nothing that can be one. */
static int check_memfd(struct reader *r, const struct place *at, const struct field *f, int64_t said)
{
	size_t size;
	int e = memfd_check(*r->fd, (size_t)f->most, &size);

	if (e == -EPERM)
		return field_refuse(r, at, "%s came in memory that is not sealed.", f->name);
	if (e == -EFBIG)
		return field_refuse(r, at, "%s is larger than %lld bytes.", f->name, (long long)f->most);
	if (e < 0)
		return field_refuse(r, at, "%s did not come as a memfd.", f->name);
	if (said < 0 || (size_t)said != size)
		return field_refuse(r, at, "%s does not have the size that the frame says.", f->name);
	return 0;
}

static int read_fd(struct reader *r, const struct place *at, const struct field *f, int *out)
{
	struct scan_number n = { .real = true };
	char c = scan_peek(&r->s);
	int e;

	if (c == '-' || (c >= '0' && c <= '9'))
		scan_number(&r->s, &n);
	else
		scan_skip(&r->s, NULL);
	if (r->s.why)
		return field_malformed(r);
	if (!r->fd || *r->fd < 0)
		return field_refuse(r, at, "%s needs a descriptor beside the frame, and none came.", f->name);
	e = f->kind == FIELD_MEMFD ? check_memfd(r, at, f, n.real ? -1 : n.whole) : 0;
	if (e == 0)
		*out = TAKE_FD(*r->fd);
	return e;
}

static int read_value(struct reader *r, const struct place *at, const struct field *f, void *base)
{
	void *out = (char *)base + f->offset;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET:
	case FIELD_ENUM: return field_read_text(r, at, f, out);
	case FIELD_INT:
	case FIELD_REAL: return read_number(r, at, f, out);
	case FIELD_BOOL: return read_bool(r, at, f, out);
	case FIELD_JSON: return read_json(r, at, f, out);
	case FIELD_STRS:
	case FIELD_LIST: return read_list(r, at, f, base);
	case FIELD_OBJ:
		*(void **)out = arena_alloc(r->arena, f->size);
		return field_read_object(r, at, f->type(), *(void **)out);
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
			return field_refuse(r, &(struct place){ at, f->name, -1 }, "%s is missing. %s", f->name, f->sentence);
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
			return field_refuse(r, &(struct place){ at, name, -1 }, "There is no parameter \"%s\" here.", BRIEF(64, name));
		if (*seen & UINT64_C(1) << (f - rows)) {
			r->s.why = "The same name stands twice in one object.";
			break;
		}
		*seen |= UINT64_C(1) << (f - rows);
		struct place here = { .parent = at, .name = f->name, .index = -1 };
		e = read_value(r, &here, f++, out);
	}
	return e == 0 && r->s.why ? field_malformed(r) : e;
}

static int field_read_object(struct reader *r, const struct place *at, const struct field *rows, void *out)
{
	uint64_t seen = 0; /* a row's bit; FIELDS_MOST of them */
	int e;

	if (scan_peek(&r->s) != '{')
		return scan_skip(&r->s, NULL) ? field_refuse(r, at, "This must be an object.") : field_malformed(r);
	if (!scan_open(&r->s, '{'))
		return field_malformed(r);
	e = read_members(r, at, rows, out, &seen);
	return e == 0 ? check_missing(r, at, rows, seen) : e;
}

int fields_read(struct arena *arena, const struct field *rows, char *text, size_t n, int *fd, void *out, json_t **keep,
	struct refusal *why)
{
	struct reader r = { .s = scan_begin(text, n), .arena = arena, .fd = fd, .keep = keep, .why = why };
	int e;

	fields_init(rows, out, 0);
	e = field_read_object(&r, NULL, rows, out);
	if (e == 0 && !scan_end(&r.s))
		e = field_malformed(&r);
	if (e < 0)
		fields_close(rows, out);
	return e;
}

int fields_decode(struct arena *arena, const struct field *rows, const json_t *object, int *fd, void *out, json_t **keep,
	struct refusal *why)
{
	size_t n;
	char *text = json_text(object, &n), *own = arena_memdup(arena, text, n);

	json_text_free(text, n);
	return fields_read(arena, rows, own, n, fd, out, keep, why);
}
