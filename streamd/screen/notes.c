#include "streamd/screen/notes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/must.h"
#include "common/words.h"
#include "streamd/browser/clip.h"

#define MOST        32 /* of each sign-in; a page can want things without end */
#define MOST_ABOUT  64
#define MOST_TEXT   1024 /* as proto/viewer.def has it */
#define MOST_ADVICE 1024

struct note {
	enum note_kind kind;
	char about[MOST_ABOUT + 1], text[MOST_TEXT + 1], advice[MOST_ADVICE + 1];
	bool closed; /* kept so that it is not said again */
	struct note_shown_event event;
	TAILQ_ENTRY(note) link;
};

struct notes {
	void (*tell)(void *owner, const struct method *event, const void *fields);
	void *owner;
	size_t count;
	TAILQ_HEAD(, note) list;
};

struct notes *notes_new(void (*tell)(void *owner, const struct method *event, const void *fields), void *owner)
{
	struct notes *n = must(calloc(1, sizeof(*n)));

	n->tell = tell;
	n->owner = owner;
	TAILQ_INIT(&n->list);
	return n;
}

static void notes_drop(struct notes *n, struct note *one)
{
	TAILQ_REMOVE(&n->list, one, link);
	n->count--;
	free(one);
}

struct notes *notes_free(struct notes *n)
{
	struct note *one;

	if (!n)
		return NULL;
	while ((one = TAILQ_FIRST(&n->list)))
		notes_drop(n, one);
	free(n);
	return NULL;
}

static bool notes_is_known(const struct notes *n, enum note_kind kind, const char *about)
{
	const struct note *one;

	TAILQ_FOREACH (one, &n->list, link)
		if (one->kind == kind && strcmp(one->about, about) == 0)
			return true;
	return false;
}

static void notes_take_away(struct notes *n, struct note *one)
{
	struct note_gone_event gone = { .note = one->event.note };

	if (!one->closed)
		n->tell(n->owner, &method_note_gone, &gone);
}

void notes_remove(struct notes *n, enum note_kind kind)
{
	struct note *one, *next;

	for (one = TAILQ_FIRST(&n->list); one; one = next) {
		next = TAILQ_NEXT(one, link);
		if (one->kind != kind)
			continue;
		notes_take_away(n, one);
		notes_drop(n, one);
	}
}

void notes_add(struct notes *n, enum note_kind kind, const char *about, const char *tone, bool reload, const char *advice,
	const char *format, ...)
{
	static int64_t last;
	struct note *one;
	char key[MOST_ABOUT + 1];
	va_list args;

	words_set(key, sizeof(key), "%s", about);
	if (kind == NOTE_PAGE || kind == NOTE_SLOW)
		notes_remove(n, kind);
	if (notes_is_known(n, kind, key) || n->count == MOST)
		return;
	one = must(calloc(1, sizeof(*one)));
	one->kind = kind;
	exact_must(one->about, sizeof(one->about), "%s", key);
	va_start(args, format);
	words_set_v(one->text, sizeof(one->text), format, args);
	va_end(args);
	words_set(one->advice, sizeof(one->advice), "%s", advice);
	one->event = (struct note_shown_event){ .note = ++last, .tone = tone, .text = one->text,
		.advice = unless_empty(one->advice), .reload = reload };
	TAILQ_INSERT_TAIL(&n->list, one, link);
	n->count++;
	n->tell(n->owner, &method_note_shown, &one->event);
}

void notes_close(struct notes *n, int64_t number)
{
	struct note *one;

	TAILQ_FOREACH (one, &n->list, link) {
		if (one->event.note != number || one->closed)
			continue;
		notes_take_away(n, one);
		one->closed = true;
		return;
	}
}

void notes_tell(const struct notes *n, void (*tell)(void *arg, const struct note_shown_event *event), void *arg)
{
	const struct note *one;

	TAILQ_FOREACH (one, &n->list, link)
		if (!one->closed)
			tell(arg, &one->event);
}
