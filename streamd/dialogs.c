#include "streamd/dialogs.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "streamd/clip.h"
#include "streamd/stream.h"

#define MOST_TEXT 4096 /* as in proto/viewer.def */

struct dialog {
	TAILQ_ENTRY(dialog) link;
	struct target *page;
	struct dialog_opened_event event;
	struct arena *arena;
};

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

static void free_dialog(struct stream *s, struct dialog *d)
{
	TAILQ_REMOVE(&s->dialogs, d, link);
	arena_free(d->arena);
	free(d);
}

static struct dialog *dialog_of(const struct stream *s, const struct target *page)
{
	struct dialog *d;

	TAILQ_FOREACH (d, &s->dialogs, link)
		if (d->page == page)
			return d;
	return NULL;
}

static void show_first(struct stream *s)
{
	const struct dialog_opened_event *event = dialogs_shown(s);

	if (event)
		stream_tell(s, &method_dialog_opened, event);
}

void dialogs_add(struct stream *s, struct target *page, const struct cbor *params)
{
	static int64_t last;
	struct dialog *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->page = page;
	d->arena = arena_new(0);
	d->event = (struct dialog_opened_event){ .dialog = ++last,
		.kind = kind_of(cbor_get(params, "type")),
		.message = text_of(d->arena, params, "message") ?: " ",
		.value = text_of(d->arena, params, "defaultPrompt"),
		.url = text_of(d->arena, params, "url") };
	TAILQ_INSERT_TAIL(&s->dialogs, d, link);
	if (TAILQ_FIRST(&s->dialogs) == d)
		show_first(s);
}

void dialogs_remove(struct stream *s, const struct target *page)
{
	struct dialog *d = dialog_of(s, page);
	bool shown = d && d == TAILQ_FIRST(&s->dialogs);
	struct dialog_closed_event closed = { .dialog = d ? d->event.dialog : 0 };

	if (!d)
		return;
	free_dialog(s, d);
	if (!shown)
		return;
	stream_tell(s, &method_dialog_closed, &closed);
	show_first(s);
}

const struct dialog_opened_event *dialogs_shown(const struct stream *s)
{
	const struct dialog *d = TAILQ_FIRST(&s->dialogs);

	return d ? &d->event : NULL;
}

static void send_answer(struct stream *s, const struct dialog *d, bool accept, const char *text)
{
	if (s->browser && d->page->session[0])
		cdp_send(browser_cdp(s->browser), d->page->session, "Page.handleJavaScriptDialog",
			CDP_BOOL("accept", accept), CDP_TEXT("promptText", text));
}

void dialogs_answer(struct stream *s, int64_t number, bool accept, const char *text)
{
	struct dialog *d;

	TAILQ_FOREACH (d, &s->dialogs, link)
		if (d->event.dialog == number)
			send_answer(s, d, accept, text);
}

void dialogs_dismiss(struct stream *s)
{
	struct dialog *d;

	TAILQ_FOREACH (d, &s->dialogs, link)
		send_answer(s, d, false, NULL);
}

void dialogs_clear(struct stream *s)
{
	struct dialog *d;

	while ((d = TAILQ_FIRST(&s->dialogs)))
		free_dialog(s, d);
}
