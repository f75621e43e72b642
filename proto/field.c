#include "proto/field.h"

#include <string.h>

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
