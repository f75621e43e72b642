#include "streamd/dialogs.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "streamd/browser.h"
#include "streamd/clip.h"

#define MOST_TEXT 4096 /* as in proto/viewer.def */

struct dialog {
	TAILQ_ENTRY(dialog) link;
	struct target *page;
	struct dialog_opened_event event;
	struct arena *arena;
};

struct dialogs {
	const struct dialog_listener *listener;
	void *owner;
	TAILQ_HEAD(, dialog) list;
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

struct dialogs *dialogs_new(const struct dialog_listener *listener, void *owner)
{
	struct dialogs *d = must(calloc(1, sizeof(*d)));

	d->listener = listener;
	d->owner = owner;
	TAILQ_INIT(&d->list);
	return d;
}

struct dialogs *dialogs_free(struct dialogs *d)
{
	if (d)
		dialogs_clear(d);
	free(d);
	return NULL;
}

static const char *kind_of(const struct cbor *type)
{
	static const char *const kinds[] = { "alert", "confirm", "prompt", "beforeunload" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (cbor_text_is(type, kinds[i]))
			return kinds[i];
	return "alert";
}

static const char *text_of(struct arena *arena, const struct cbor *params, const char *key)
{
	return clip(arena, cbor_get_utf8(arena, params, key), MOST_TEXT);
}

static void drop(struct dialogs *d, struct dialog *one)
{
	TAILQ_REMOVE(&d->list, one, link);
	arena_free(one->arena);
	free(one);
}

static struct dialog *dialog_of(const struct dialogs *d, const struct target *page)
{
	struct dialog *one;

	TAILQ_FOREACH (one, &d->list, link)
		if (one->page == page)
			return one;
	return NULL;
}

static void show_first(struct dialogs *d)
{
	const struct dialog_opened_event *event = dialogs_shown(d);

	if (event)
		d->listener->shown(d->owner, event);
}

void dialogs_add(struct dialogs *d, struct target *page, const struct cbor *params)
{
	static int64_t last;
	struct dialog *one = must(calloc(1, sizeof(*one)));

	dialogs_remove(d, page); /* it has one at most, whatever is said */
	one->page = page;
	one->arena = arena_new(0);
	one->event = (struct dialog_opened_event){ .dialog = ++last,
		.kind = kind_of(cbor_get(params, "type")),
		.message = text_of(one->arena, params, "message") ?: " ",
		.value = text_of(one->arena, params, "defaultPrompt"),
		.url = text_of(one->arena, params, "url") };
	TAILQ_INSERT_TAIL(&d->list, one, link);
	if (TAILQ_FIRST(&d->list) == one)
		show_first(d);
}

void dialogs_remove(struct dialogs *d, const struct target *page)
{
	struct dialog *one = dialog_of(d, page);
	bool shown = one && one == TAILQ_FIRST(&d->list);
	struct dialog_closed_event closed = { .dialog = one ? one->event.dialog : 0 };

	if (!one)
		return;
	drop(d, one);
	if (!shown)
		return;
	d->listener->gone(d->owner, &closed);
	show_first(d);
}

const struct dialog_opened_event *dialogs_shown(const struct dialogs *d)
{
	const struct dialog *one = TAILQ_FIRST(&d->list);

	return one ? &one->event : NULL;
}

static void send_answer(const struct dialog *one, bool accept, const char *text)
{
	if (one->page->session[0])
		cdp_send(browser_cdp(one->page->browser), one->page->session, "Page.handleJavaScriptDialog",
			CDP_BOOL("accept", accept), CDP_TEXT("promptText", text));
}

/* Gone as soon as it is answered: one that Chromium has dropped without a word would else stand there for ever. */
void dialogs_answer(struct dialogs *d, int64_t number, bool accept, const char *text)
{
	struct dialog *one;

	TAILQ_FOREACH (one, &d->list, link) {
		if (one->event.dialog != number)
			continue;
		send_answer(one, accept, text);
		dialogs_remove(d, one->page);
		return;
	}
}

void dialogs_dismiss(struct dialogs *d)
{
	struct dialog *one;

	TAILQ_FOREACH (one, &d->list, link)
		send_answer(one, false, NULL);
}

void dialogs_clear(struct dialogs *d)
{
	struct dialog *one;

	while ((one = TAILQ_FIRST(&d->list)))
		drop(d, one);
}
