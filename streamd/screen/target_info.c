#include "streamd/screen/target_info.h"

#include "common/words.h"
#include "streamd/browser/blank.h"
#include "streamd/browser/clip.h"

#define MOST_URL   4096 /* as proto/viewer.def has it */
#define MOST_TITLE 1024

void target_describe(const struct target *t, struct arena *arena, struct page_changed_event *ret)
{
	bool blank = blank_is_at(url_whole(t->url));
	/* The address line: whoever sees the page may see it. */
	const char *url = blank ? NULL : clip(arena, url_whole(t->url), MOST_URL);
	const char *title = words_new(arena, MOST_TITLE, "%s", blank ? "" : t->title);

	*ret = (struct page_changed_event){ .url = url ? url : "about:blank",
		.title = unless_empty(title),
		.loading = t->loading,
		.popup = t->opener[0] != '\0' };
}
