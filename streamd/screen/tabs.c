#include "streamd/screen/tabs.h"

#include <string.h>

#include "common/host.h"
#include "common/words.h"
#include "streamd/browser/clip.h"

#define MOST_TITLE 256 /* as proto/viewer.def has it */
#define MOST_HOST  256

static bool is_tab(const struct target *t)
{
	return t->kind == TARGET_PAGE && !t->hidden && !t->barred && t->session[0];
}

/* "" for what is no web page. */
static const char *tabs_host_of(struct arena *arena, const struct url *url)
{
	size_t n;
	const char *from = host_in_url(url_whole(url), &n);

	if (!from)
		return "";
	return words_new(arena, MOST_HOST, "%s", (char *)arena_memdup(arena, from, n));
}

void tabs_describe(struct browser *b, struct arena *arena, struct tabs_changed_event *ret)
{
	struct tab_info *list = arena_array(arena, BROWSER_MOST_TARGETS, sizeof(*list));
	size_t n = 0;
	struct target *t;

	TAILQ_FOREACH (t, browser_targets(b), link)
		if (is_tab(t) && n < BROWSER_MOST_TARGETS)
			list[n++] = (struct tab_info){ .tab = (int64_t)t->number,
				.title = unless_empty(words_new(arena, MOST_TITLE, "%s", t->title)),
				.host = unless_empty(tabs_host_of(arena, t->url)),
				.front = t == browser_front(b) };
	*ret = (struct tabs_changed_event){ .tabs = list, .tabs_count = n };
}

struct target *tabs_find(struct browser *b, int64_t number)
{
	struct target *t;

	TAILQ_FOREACH (t, browser_targets(b), link)
		if (is_tab(t) && (int64_t)t->number == number)
			return t;
	return NULL;
}

void tabs_close(struct browser *b, struct target *page)
{
	struct target *t;
	size_t n = 0;

	TAILQ_FOREACH (t, browser_targets(b), link)
		n += is_tab(t);
	if (n > 1)
		cdp_send(browser_cdp(b), "", "Target.closeTarget", CDP_TEXT("targetId", page->id));
}
