#include "streamd/screen/copy.h"

#include <jansson.h>

#include "streamd/browser/clip.h"
#include "streamd/browser/watch.h"

bool copy_read(const struct cbor *params, struct arena *arena, const char **ret, bool *ret_offered)
{
	json_t *said = watch_read(params);
	const char *copied = json_string_value(json_object_get(said, "copied"));
	const char *offered = json_string_value(json_object_get(said, "offered"));
	const char *text = clip(arena, copied ? copied : offered, COPY_MOST);

	json_decref(said);
	if (!text)
		return false;
	*ret = text;
	*ret_offered = !copied;
	return true;
}
