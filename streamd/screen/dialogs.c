#include "streamd/screen/dialogs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "common/cleanup.h"
#include "common/must.h"
#include "common/words.h"
#include "streamd/browser/browser.h"
#include "streamd/browser/clip.h"

#define MOST_TEXT 4096 /* as in proto/viewer.def */
#define MOST_HOST 512
#define MOST_PASSWORDS 8 /* that are asked for at once; a page that asks for more is refused */

struct dialog {
	TAILQ_ENTRY(dialog) link;
	struct target_ref page;
	struct dialog_opened_event event;
	struct arena *arena;
	char request[CDP_ID]; /* that waits for a password; "": it is a dialog of the page's script */
};

struct dialogs {
	void (*tell)(void *owner, const struct method *event, const void *fields);
	void *owner;
	TAILQ_HEAD(, dialog) list;
	char answered[CDP_ID]; /* the last request that was given a password */
};

struct dialogs *dialogs_new(void (*tell)(void *owner, const struct method *event, const void *fields), void *owner)
{
	struct dialogs *d = must(calloc(1, sizeof(*d)));

	d->tell = tell;
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

static const char *dialogs_kind_of(const struct cbor *type)
{
	static const char *const kinds[] = { "alert", "confirm", "prompt", "beforeunload" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (cbor_text_is(type, kinds[i]))
			return kinds[i];
	return "alert";
}

/* As much of it as is shown, for a page's words may be megabytes. */
static const char *text_of(struct arena *arena, const struct cbor *params, const char *key)
{
	CLEANUP(arena_freep) struct arena *all = arena_new(0);

	return clip(arena, cbor_get_utf8(all, params, key), MOST_TEXT);
}

/* Whose words these are, for a sentence. */
static const char *dialogs_address_of(struct arena *arena, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *all = arena_new(0);
	const char *shown = url_shown(url_in(all, cbor_get_utf8(all, params, "url")));

	return arena_strdup(arena, unless_empty(shown));
}

static void dialogs_drop(struct dialogs *d, struct dialog *one)
{
	TAILQ_REMOVE(&d->list, one, link);
	arena_free(one->arena);
	free(one);
}

static size_t dialogs_count(const struct dialogs *d)
{
	const struct dialog *one;
	size_t n = 0;

	TAILQ_FOREACH (one, &d->list, link)
		n++;
	return n;
}

static void show_first(struct dialogs *d)
{
	const struct dialog_opened_event *event = dialogs_shown(d);

	if (event)
		d->tell(d->owner, &method_dialog_opened, event);
}

static struct dialog *new_dialog(struct target *page)
{
	struct dialog *one = must(calloc(1, sizeof(*one)));

	one->page = target_ref_of(page);
	one->arena = arena_new(0);
	return one;
}

static void dialogs_append(struct dialogs *d, struct dialog *one)
{
	static int64_t last;

	one->event.dialog = ++last;
	TAILQ_INSERT_TAIL(&d->list, one, link);
	if (TAILQ_FIRST(&d->list) == one)
		show_first(d);
}

void dialogs_add(struct dialogs *d, struct target *page, const struct cbor *params)
{
	struct dialog *one = new_dialog(page);

	dialogs_remove(d, page, true, false); /* it has one at most, whatever is said */
	one->event = (struct dialog_opened_event){ .kind = dialogs_kind_of(cbor_get(params, "type")),
		.message = text_of(one->arena, params, "message") ?: " ",
		.value = text_of(one->arena, params, "defaultPrompt"),
		.url = dialogs_address_of(one->arena, params) };
	dialogs_append(d, one);
}

/* The origin is a URL's beginning: https://host:port. */
static const char *host_in(struct arena *arena, const char *origin)
{
	const char *host = origin ? strstr(origin, "://") : NULL;

	return words_new(arena, MOST_HOST, "%s", host ? host + 3 : origin && *origin ? origin : "This host");
}

void dialogs_add_password(struct dialogs *d, struct target *page, const struct cbor *params)
{
	const struct cbor *challenge = cbor_get(params, "authChallenge");
	struct dialog *one = new_dialog(page);
	const char *origin = cbor_get_utf8(one->arena, challenge, "origin");
	const char *realm = text_of(one->arena, challenge, "realm");
	const char *request = cbor_get_utf8(one->arena, params, "requestId");

	if (!exact_set(one->request, sizeof(one->request), "%s", request ? request : "") || !one->request[0] ||
		dialogs_count(d) == MOST_PASSWORDS) {
		browser_answer_password(one->page, request, NULL, NULL);
		arena_free(one->arena);
		free(one);
		return;
	}
	one->event = (struct dialog_opened_event){ .kind = "password",
		.message = realm ? realm : " ",
		.url = dialogs_address_of(one->arena, cbor_get(params, "request")),
		.host = host_in(one->arena, origin),
		.proxy = cbor_text_is(cbor_get(challenge, "source"), "Proxy"),
		.plain = !origin || strncmp(origin, "https://", 8) != 0,
		.again = strcmp(one->request, d->answered) == 0 };
	dialogs_append(d, one);
}

static void dialogs_take_away(struct dialogs *d, struct dialog *one)
{
	bool shown = one == TAILQ_FIRST(&d->list);
	struct dialog_closed_event closed = { .dialog = one->event.dialog };

	dialogs_drop(d, one);
	if (!shown)
		return;
	d->tell(d->owner, &method_dialog_closed, &closed);
	show_first(d);
}

void dialogs_remove(struct dialogs *d, const struct target *page, bool scripts, bool passwords)
{
	struct dialog *one, *next;

	for (one = TAILQ_FIRST(&d->list); one; one = next) {
		next = TAILQ_NEXT(one, link);
		if (target_ref_equal(one->page, target_ref_of(page)) && (one->request[0] ? passwords : scripts))
			dialogs_take_away(d, one);
	}
}

const struct dialog_opened_event *dialogs_shown(const struct dialogs *d)
{
	const struct dialog *one = TAILQ_FIRST(&d->list);

	return one ? &one->event : NULL;
}

static void send_answer(const struct dialog *one, bool accept, const char *name, const char *text)
{
	const struct target *page = target_of(one->page);

	if (one->request[0])
		browser_answer_password(one->page, one->request, accept ? (name ? name : "") : NULL, text ? text : "");
	else if (page)
		cdp_send(browser_cdp(page->browser), page->session, "Page.handleJavaScriptDialog",
			CDP_BOOL("accept", accept), CDP_TEXT("promptText", text));
}

/* Gone as soon as it is answered: one that Chromium has dropped without a word would else stand there for ever. */
void dialogs_answer(struct dialogs *d, int64_t number, bool accept, const char *name, const char *text)
{
	struct dialog *one;

	TAILQ_FOREACH (one, &d->list, link) {
		if (one->event.dialog != number)
			continue;
		if (one->request[0])
			exact_must(d->answered, sizeof(d->answered), "%s", accept ? one->request : "");
		send_answer(one, accept, name, text);
		dialogs_take_away(d, one);
		return;
	}
}

void dialogs_dismiss(struct dialogs *d)
{
	struct dialog *one;

	TAILQ_FOREACH (one, &d->list, link)
		send_answer(one, false, NULL, NULL);
}

void dialogs_clear(struct dialogs *d)
{
	struct dialog *one;

	while ((one = TAILQ_FIRST(&d->list)))
		dialogs_drop(d, one);
}
