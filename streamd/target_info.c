#include "streamd/target_info.h"

#include "streamd/clip.h"

#define MOST_URL   4096 /* as proto/viewer.def has it */
#define MOST_TITLE 1024

void target_describe(const struct target *t, struct arena *arena, struct page_changed_event *ret)
{
	const char *url = clip(arena, t->url, MOST_URL);

	*ret = (struct page_changed_event){ .url = url ? url : "about:blank",
		.title = clip(arena, t->title, MOST_TITLE),
		.loading = t->loading,
		.popup = t->opener[0] != '\0' };
}
