#include "streamd/screen/copy.h"

#include "streamd/browser/clip.h"

bool copy_read(const json_t *said, struct arena *arena, const char **ret, bool *ret_offered)
{
	const char *copied = json_string_value(json_object_get(said, "copied"));
	const char *offered = json_string_value(json_object_get(said, "offered"));
	const char *text = clip(arena, copied ? copied : offered, COPY_MOST);

	if (!text)
		return false;
	*ret = text;
	*ret_offered = !copied;
	return true;
}
