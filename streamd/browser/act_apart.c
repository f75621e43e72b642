/*
 * Pages apart: opened beside the page that acts while that waits for its answer, so that the site can be asked meanwhile. What
 * they, their frames and the pages that they open send is no part of the act, and goes.
 */
#include <string.h>

#include "common/cleanup.h"
#include "common/words.h"
#include "streamd/browser/act_inside.h"

bool apart_has(const struct act *a, const char *frame)
{
	for (size_t i = 0; frame && i < a->apart_count; i++)
		if (strcmp(a->apart[i], frame) == 0)
			return true;
	return false;
}

/* Of frames that are no pages, the first most: of a page that goes on by itself, they are gone. */
static void forget_frames(struct act *a, size_t most)
{
	for (size_t i = 0; i < a->apart_count && most > 0;) {
		const struct target *t = browser_target_by_id(a->browser, a->apart[i]);
		if (t && t->kind == TARGET_PAGE) {
			i++;
			continue;
		}
		memmove(&a->apart[i], &a->apart[i] + 1, (--a->apart_count - i) * sizeof(a->apart[i]));
		most--;
	}
}

/* One too many counts as of the page that acts: what it sends to act waits. */
static void apart_add(struct act *a, const char *frame)
{
	if (!frame || apart_has(a, frame))
		return;
	if (a->apart_count == MOST_APART)
		forget_frames(a, 1);
	if (a->apart_count < MOST_APART && exact_set(a->apart[a->apart_count], CDP_ID, "%s", frame))
		a->apart_count++;
}

/* A page speaks of its own frames alone; of pages, the browser's own session. */
void apart_note(struct act *a, const char *session, const char *method, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *info = cbor_get(params, "targetInfo");
	const struct target *by = browser_target_by_session(a->browser, session);

	if (!*session && strcmp(method, "Target.attachedToTarget") == 0 && apart_has(a, cbor_get_utf8(arena, info, "openerId")))
		apart_add(a, cbor_get_utf8(arena, info, "targetId"));
	if (by && apart_has(a, by->id) && strcmp(method, "Page.frameAttached") == 0)
		apart_add(a, cbor_get_utf8(arena, params, "frameId"));
}

bool act_is_apart(const struct act *a, const struct target *page)
{
	return a && page && a->gate == GATE_LEFT && apart_has(a, page->id);
}

void act_go_apart(struct act *a, const struct target *page)
{
	if (page)
		apart_add(a, page->id);
}

/* The frames of the document that is left go with it, and not before: they may say something as they do. */
void act_hush(struct act *a, bool on)
{
	a->hushed = on;
	if (!on)
		forget_frames(a, MOST_APART);
}
