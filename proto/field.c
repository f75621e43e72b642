#include "proto/field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/field_check.h"
#include "proto/text.h"

static int decode_object(struct decoder *d, const struct place *at, const struct field *rows,
	const json_t *object, void *out);

static int decode_text(struct decoder *d, const struct place *at, const struct field *f, const json_t *value,
	const char **out)
{
	if (!json_is_string(value))
		return field_refuse_kind(d, at, f);
	if (f->kind == FIELD_ENUM)
		return field_take_enum(d, at, f, json_string_value(value), out);
	return field_take_text(d, at, f, json_string_value(value), json_string_length(value), out);
}

static int decode_number(struct decoder *d, const struct place *at, const struct field *f, const json_t *value,
	void *out)
{
	if (!(f->kind == FIELD_INT ? json_is_integer(value) : json_is_number(value)))
		return field_refuse_kind(d, at, f);
	if (f->kind == FIELD_INT)
		return field_take_int(d, at, f, json_integer_value(value), out);
	return field_take_real(d, at, f, json_number_value(value), out);
}

static int decode_bool(struct decoder *d, const struct place *at, const struct field *f, const json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		return field_refuse_kind(d, at, f);
	*out = json_is_true(value);
	return 0;
}

static int decode_strs(struct decoder *d, const struct place *at, const struct field *f, const json_t *value, void *base)
{
	struct field each = { .name = f->name, .kind = FIELD_STR, .most = f->each };
	size_t n = json_array_size(value);
	int r = 0;

	if (!json_is_array(value) || n > (size_t)f->most)
		return field_refuse_kind(d, at, f);
	const char **items = arena_array(d->arena, n, sizeof(*items));
	for (size_t i = 0; i < n && r == 0; i++) {
		struct place here = { .parent = at, .index = (long)i };
		r = decode_text(d, &here, &each, json_array_get(value, i), &items[i]);
	}
	*(const char ***)((char *)base + f->offset) = items;
	*(size_t *)((char *)base + f->count_offset) = n;
	return r;
}

static int decode_list(struct decoder *d, const struct place *at, const struct field *f, const json_t *value, void *base)
{
	size_t n = json_array_size(value);
	int r = 0;

	if (!json_is_array(value) || n > (size_t)f->most)
		return field_refuse_kind(d, at, f);
	char *items = arena_array(d->arena, n, f->size);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct place here = { .parent = at, .index = (long)i };
		r = decode_object(d, &here, f->type(), json_array_get(value, i), items + i * f->size);
	}
	*(void **)((char *)base + f->offset) = items;
	*(size_t *)((char *)base + f->count_offset) = n;
	return r;
}

static int decode_value(struct decoder *d, const struct place *at, const struct field *f, const json_t *value, void *base)
{
	void *out = (char *)base + f->offset;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET:
	case FIELD_ENUM: return decode_text(d, at, f, value, out);
	case FIELD_INT:
	case FIELD_REAL: return decode_number(d, at, f, value, out);
	case FIELD_BOOL: return decode_bool(d, at, f, value, out);
	case FIELD_JSON:
		return json_is_object(value) ? field_take_json(d, at, f, (json_t *)value, out) : field_refuse_kind(d, at, f);
	case FIELD_STRS: return decode_strs(d, at, f, value, base);
	case FIELD_LIST: return decode_list(d, at, f, value, base);
	case FIELD_OBJ:
		*(void **)out = arena_alloc(d->arena, f->size);
		return decode_object(d, at, f->type(), value, *(void **)out);
	case FIELD_MEMFD:
	case FIELD_HANDLE: return field_take_fd(d, at, f, json_is_integer(value) ? json_integer_value(value) : -1, out);
	case FIELD_END:
	case FIELD_OPTIONAL: break;
	}
	return 0;
}

static const struct field *row_named(const struct field *rows, const char *name)
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++)
		if (f->name && strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static int refuse_unknown(struct decoder *d, const struct place *at, const struct field *rows, const json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		if (!row_named(rows, name))
			return field_refuse_unknown(d, at, name);
	}
	return 0;
}

static int decode_object(struct decoder *d, const struct place *at, const struct field *rows, const json_t *object,
	void *out)
{
	bool optional = false;
	size_t known = 0;
	int r = 0;

	if (!json_is_object(object))
		return field_refuse(d, at, "This must be an object.");
	for (const struct field *f = rows; f->kind != FIELD_END && r == 0; f++) {
		if (f->kind == FIELD_OPTIONAL) {
			optional = true;
			continue;
		}
		struct place here = { .parent = at, .name = f->name, .index = -1 };
		json_t *value = json_object_get(object, f->name);
		if (value) {
			known++;
			r = decode_value(d, &here, f, value, out);
		} else if (!optional) {
			r = field_refuse_missing(d, at, f);
		}
		optional = false;
	}
	if (r == 0 && known != json_object_size(object))
		r = refuse_unknown(d, at, rows, object);
	return r;
}

static void each_fd(const struct field *rows, void *out, void (*fn)(int *fd))
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++)
		if (f->kind == FIELD_MEMFD || f->kind == FIELD_HANDLE)
			fn((int *)(void *)((char *)out + f->offset));
}

static void set_absent(int *fd)
{
	*fd = -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void fields_init(const struct field *rows, void *out, size_t size)
{
	if (size)
		memset(out, 0, size);
	each_fd(rows, out, set_absent);
}

void fields_close(const struct field *rows, void *out)
{
	each_fd(rows, out, close_fd);
}

int fields_decode(struct arena *arena, const struct field *rows, const json_t *object, int *fd, void *out,
	struct refusal *why)
{
	struct decoder d = { .arena = arena, .fd = fd, .why = why };
	int r;

	each_fd(rows, out, set_absent);
	r = decode_object(&d, NULL, rows, object, out);
	if (r < 0)
		each_fd(rows, out, close_fd);
	return r;
}

static json_t *must(json_t *value)
{
	if (!value)
		abort();
	return value;
}

int fields_encode(const struct field *rows, const void *in, json_t **ret, int *ret_fd, struct refusal *why)
{
	struct text text = { 0 };
	int r = fields_write(&text, rows, in, ret_fd, why);

	if (r == 0)
		*ret = must(json_loadb(text.p, text.n, 0, NULL));
	text_free(&text);
	return r;
}

static json_t *mask_value(const struct field *f, json_t *value)
{
	if (!f || f->kind == FIELD_SECRET)
		return must(json_string("•••"));
	if (f->kind == FIELD_OBJ)
		return fields_mask(f->type(), value);
	if (f->kind == FIELD_LIST && json_is_array(value)) {
		json_t *list = must(json_array()), *item;
		size_t i;
		json_array_foreach(value, i, item) {
			json_array_append_new(list, fields_mask(f->type(), item));
		}
		return list;
	}
	return json_incref(value);
}

json_t *fields_mask(const struct field *rows, const json_t *object)
{
	json_t *masked = must(json_object()), *value;
	const char *name;

	json_object_foreach((json_t *)object, name, value) {
		json_object_set_new(masked, name, mask_value(row_named(rows, name), value));
	}
	return masked;
}
