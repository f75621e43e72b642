#include "proto/field.h"

#include <string.h>

#include "common/must.h"
#include "proto/json.h"
#include "proto/text.h"

int fields_decode(struct arena *arena, const struct field *rows, const json_t *object, int *fd, void *out, json_t **keep,
	struct refusal *why)
{
	size_t n;
	char *text = json_text(object, &n), *own = arena_memdup(arena, text, n);

	json_text_free(text, n);
	return fields_read(arena, rows, own, n, fd, out, keep, why);
}

static const struct field *row_named(const struct field *rows, const char *name)
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++)
		if (f->name && strcmp(f->name, name) == 0)
			return f;
	return NULL;
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
