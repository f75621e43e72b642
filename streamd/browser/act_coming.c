/*
 * What has been let go and has not come whole: what a script reads for the first time, and the answers to what acts. An answer's
 * head says that it has been heard; a page that is left, or whose network is cut, before its body has come would not get it.
 */
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/browser/act_inside.h"

#define STILL_MS 10000 /* since something of it last came: some answers have a head and no body */

void act_tell(struct act *a)
{
	latch_wake(&a->work, 0);
	latch_wake(&a->news, 0);
}

static struct coming *coming_find(struct act *a, const char *network)
{
	for (size_t i = 0; i < MOST_COMING; i++)
		if (strcmp(a->coming[i].network, network) == 0)
			return &a->coming[i];
	return NULL;
}

void coming_begin(struct act *a, const struct asked *k, bool answer)
{
	struct coming *c = k->network[0] && !k->orphaned ? coming_find(a, "") : NULL; /* of the others no end is told */

	if (!c)
		return;
	exact_set(c->network, sizeof(c->network), "%s", k->network);
	exact_set(c->frame, sizeof(c->frame), "%s", k->frame);
	c->document = k->document;
	c->answer = answer;
	arrival_begin(&c->arrival);
	words_set(c->words, sizeof(c->words), "%s %s", k->method, url_shown(k->url));
}

static void act_coming_end(struct act *a, struct coming *c)
{
	if (!c->answer)
		a->read_at = loop_now();
	memset(c, 0, sizeof(*c));
	act_tell(a);
}

static struct coming *find_told(struct act *a, const struct cbor *params)
{
	char network[CDP_ID];

	return cdp_id(params, "requestId", network) ? coming_find(a, network) : NULL;
}

void coming_more(struct act *a, const char *method, const struct cbor *params)
{
	struct coming *c = find_told(a, params);

	if (!c)
		return;
	arrival_event(&c->arrival, method, params);
	if (arrival_until(&c->arrival) <= loop_now())
		act_coming_end(a, c);
	else
		act_tell(a);
}

void coming_end(struct act *a, const struct cbor *params)
{
	struct coming *c = find_told(a, params);

	if (c)
		act_coming_end(a, c);
}

void coming_forget_reads(struct act *a)
{
	for (size_t i = 0; i < MOST_COMING; i++)
		if (!a->coming[i].answer)
			memset(&a->coming[i], 0, sizeof(a->coming[i]));
	a->read_at = 0;
}

/* Of what a document has asked for no end is told once it has gone; its successor's own answer (loader) goes on. */
static bool is_of(
	const char *frame, const char *network, bool document, const struct cbor *gone, const struct cbor *loader)
{
	return cbor_text_is(gone, frame) && !(document && cbor_text_is(loader, network));
}

static void orphan(struct act *a, const struct cbor *gone, const struct cbor *loader)
{
	struct asked *f = a->flying;

	for (size_t i = 0; i < MOST_COMING; i++) {
		struct coming *c = &a->coming[i];
		if (c->network[0] && is_of(c->frame, c->network, c->document, gone, loader))
			act_coming_end(a, c);
	}
	if (f && is_of(f->frame, f->network, f->document, gone, loader))
		f->orphaned = true;
}

/* A frame that only moves to another process shows there what it is about to show: that is told of as another document. */
void coming_event(struct act *a, const char *method, const struct cbor *params)
{
	const struct cbor *frame = cbor_get(params, "frame");

	if (strcmp(method, "Page.frameNavigated") == 0)
		orphan(a, cbor_get(frame, "id"), cbor_get(frame, "loaderId"));
	else if (strcmp(method, "Page.frameDetached") == 0 && !cbor_text_is(cbor_get(params, "reason"), "swap"))
		orphan(a, cbor_get(params, "frameId"), NULL);
	else if (strcmp(method, "Target.targetDestroyed") == 0)
		orphan(a, cbor_get(params, "targetId"), NULL);
}

static int64_t until(const struct coming *c)
{
	return deadline_min(arrival_until(&c->arrival), c->arrival.at + STILL_MS);
}

static bool is_coming(const struct coming *c)
{
	return c->network[0] && loop_now() < until(c);
}

const struct coming *coming_first(const struct act *a, bool answer)
{
	for (size_t i = 0; i < MOST_COMING; i++)
		if (is_coming(&a->coming[i]) && a->coming[i].answer == answer)
			return &a->coming[i];
	return NULL;
}

int64_t coming_until(const struct act *a)
{
	int64_t next = NEVER;

	for (size_t i = 0; i < MOST_COMING; i++)
		if (is_coming(&a->coming[i]))
			next = deadline_min(next, until(&a->coming[i]));
	return next;
}
