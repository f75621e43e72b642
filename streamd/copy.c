#include "streamd/copy.h"

#include <jansson.h>

#include "streamd/clip.h"
#include "streamd/watch.h"

bool copy_read(const struct cbor *params, struct arena *arena, const char **ret)
{
	json_t *said = watch_read(params);
	const char *text = clip(arena, json_string_value(json_object_get(said, "copied")), COPY_MOST);

	json_decref(said);
	if (!text)
		return false;
	*ret = text;
	return true;
}
