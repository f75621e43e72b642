#include "launcher/notices.h"

#include <stdlib.h>
#include <string.h>

#include "common/latch.h"
#include "common/must.h"
#include "common/words.h"
#include "launcher/handlers.h"
#include "launcher/launcher.h"
#include "proto/call.h"

struct notice {
	enum notice_kind kind;
	char subject[256], why[256];
};

struct notices {
	struct notice list[NOTICE_KINDS * NOTICES_MOST];
	size_t count, of_kind[NOTICE_KINDS];
	char ended[NOTICES_ENDED];
	struct latch news;
};

struct notices *notices_new(void)
{
	return must(calloc(1, sizeof(struct notices)));
}

struct notices *notices_free(struct notices *n)
{
	free(n);
	return NULL;
}

/* The last that was said of this, or NULL. */
static const struct notice *last_of(const struct notices *n, enum notice_kind kind, const char *subject)
{
	for (size_t i = n->count; i-- > 0;)
		if (n->list[i].kind == kind && strcmp(n->list[i].subject, subject) == 0)
			return &n->list[i];
	return NULL;
}

void notices_add(struct notices *n, enum notice_kind kind, const char *subject, size_t length, const char *why)
{
	struct notice new = { .kind = kind };
	const struct notice *last;

	for (size_t i = 0; i < length && i < sizeof(new.subject) - 1; i++)
		new.subject[i] = subject[i] > ' ' && subject[i] <= '~' ? subject[i] : '?';
	words_set(new.why, sizeof(new.why), "%s", why);
	last = last_of(n, kind, new.subject);
	if (last && (kind != NOTICE_UNREACHED || strcmp(last->why, new.why) == 0))
		return;
	if (n->of_kind[kind] == NOTICES_MOST || !*new.subject)
		return;
	n->of_kind[kind]++;
	n->list[n->count++] = new;
	latch_wake(&n->news, 0);
}

void notices_end(struct notices *n, const char *sentence)
{
	if (*n->ended)
		return;
	words_set(n->ended, sizeof(n->ended), "%s", sentence);
	latch_wake(&n->news, 0);
}

static int send_notice(struct call *call, struct notice *one)
{
	struct browser_watch_item item = { 0 };

	switch (one->kind) {
	case NOTICE_REFUSED:
		item.refused_host = one->subject;
		item.refused_why = one->why;
		break;
	case NOTICE_UNREACHED:
		item.unreached_host = one->subject;
		item.unreached_why = one->why;
		break;
	case NOTICE_APP: item.refused_app = one->subject; break;
	case NOTICE_KINDS: break;
	}
	return send_browser_watch(call, &item);
}

int browser_watch(struct call *call, const struct browser_watch_params *)
{
	struct notices *n = ((struct launcher *)call->daemon)->notices;
	int r = 0;

	for (size_t seen = 0; r == 0;) {
		if (seen < n->count) {
			r = send_notice(call, &n->list[seen++]);
		} else if (*n->ended) {
			struct browser_watch_item item = { .ended = n->ended };
			return send_browser_watch(call, &item);
		} else {
			r = latch_wait(&n->news, NEVER);
		}
	}
	return r;
}
