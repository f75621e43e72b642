#include "streamd/session/restore.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/words.h"
#include "streamd/browser/blank.h"
#include "streamd/browser/frames.h"
#include "streamd/browser/page.h"
#include "streamd/browser/pages.h"

/* Where a complaint goes. */
struct complaint {
	char *why;
	size_t size;
};

static int differ(const struct complaint *c, const char *what, const char *of)
{
	return words_fail(-EILSEQ, c->why, c->size, "%s of %s did not come back as it was captured", what, of);
}

static bool restore_same(const struct cbor *a, const struct cbor *b)
{
	size_t na = 0, nb = 0;
	const uint8_t *pa = cbor_raw(a, &na), *pb = cbor_raw(b, &nb);

	return na == nb && (na == 0 || memcmp(pa, pb, na) == 0);
}

static bool restore_is_there(struct arena *arena, const struct cbor *list, const struct state_cookie *wanted)
{
	struct state_cookie c;

	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v))
		if (state_cookie_read(arena, v, &c) && state_cookie_equal(&c, wanted))
			return true;
	return false;
}

static int compare_cookies(const struct state *s, const struct cbor *there, const struct complaint *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);

	for (size_t i = 0; i < state_cookie_count(s); i++) {
		const struct state_cookie *wanted = state_cookie_at(s, i);

		if (!restore_is_there(arena, there, wanted) && !state_cookie_has_ended(wanted, (double)time(NULL)))
			return differ(c, arena_printf(arena, "the cookie %s", wanted->name), wanted->domain);
	}
	return 0;
}

/* One bad cookie and none is set; an expired one is dropped with success. So what counts is what reads back. */
static int restore_cookies(struct browser *b, const struct state *s, int64_t deadline, const struct complaint *c)
{
	const struct cbor *cookies = state_cookies(s);
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r;

	if (cbor_count(cookies) == 0)
		return 0;
	r = cdp_call(browser_cdp(b), "", "Storage.setCookies", deadline, &reply, CDP_VALUE("cookies", cookies));
	if (r < 0)
		return words_fail(r, c->why, c->size, "the cookies were not accepted: %s", reply.error);
	cdp_reply_free(&reply);
	r = cdp_call(browser_cdp(b), "", "Storage.getCookies", deadline, &reply);
	if (r < 0)
		return r;
	return compare_cookies(s, cbor_get(reply.result, "cookies"), c);
}

static int write_storage(struct target_ref t, const char *frame, const struct area *a, int64_t deadline)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };

	return frame_call(t, frame, page_storage_write, deadline, &reply, CDP_VALUE("local", a->local),
		CDP_VALUE("session", a->session));
}

/* A database that could not be made is told with the exception: [[NAME, "QuotaExceededError: ..."], ...]. */
static int check_written(const struct cbor *wrong, const struct area *a, const struct complaint *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	const char *reason = cbor_text_utf8(arena, cbor_at(cbor_at(wrong, 0), 1));

	if (cbor_count(wrong) == 0)
		return 0;
	words_set(c->why, c->size, "IndexedDB of %s could not be written (%s)", a->key, BRIEF(200, reason ?: "no reason was given"));
	return reason && strstr(reason, "QuotaExceeded") ? -ENOSPC : -EILSEQ;
}

/* A text of streamd/browser/pages/..._read.js, by the function that makes of it what was there. */
static int restore_write_text(struct target_ref t, const char *frame, const char *function, const struct cbor *text,
	const struct area *a, int64_t deadline, const struct complaint *c)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = frame_call(t, frame, function, deadline, &reply, CDP_VALUE("text", text));

	if (r == 0)
		r = check_written(cbor_get(frame_value(&reply), "wrong"), a, c);
	return r;
}

static int compare_storage(struct target_ref t, const char *frame, const struct area *a, int64_t deadline,
	const struct complaint *c)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = frame_call(t, frame, page_storage_read, deadline, &reply);

	if (r < 0)
		return r;
	const struct cbor *v = frame_value(&reply);
	if (a->local && !restore_same(a->local, cbor_get(v, "local")))
		r = differ(c, "localStorage", a->key);
	else if (a->session && !restore_same(a->session, cbor_get(v, "session")))
		r = differ(c, "sessionStorage", a->key);
	return r;
}

/* The same text, by the function that reads it; what: whose it is, for a sentence. */
static int compare_text(struct target_ref t, const char *frame, const char *function, const struct cbor *text, const char *what,
	const struct area *a, int64_t deadline, const struct complaint *c)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = frame_call(t, frame, function, deadline, &reply);

	if (r == 0 && !restore_same(text, cbor_get(frame_value(&reply), "text")))
		r = differ(c, what, a->key);
	return r;
}

static bool has_caches(const struct area *a)
{
	return cbor_is(a->caches, CBOR_TEXT) && !cbor_text_is(a->caches, "[]");
}

static int restore_in_frame(struct target_ref t, const char *frame, const struct area *a, int64_t deadline,
	const struct complaint *c)
{
	int r = a->local || a->session ? write_storage(t, frame, a, deadline) : 0;

	if (r == 0 && cbor_is(a->databases, CBOR_TEXT))
		r = restore_write_text(t, frame, page_indexeddb_write, a->databases, a, deadline, c);
	if (r == 0 && has_caches(a))
		r = restore_write_text(t, frame, page_caches_write, a->caches, a, deadline, c);
	if (r == 0)
		r = compare_storage(t, frame, a, deadline, c);
	if (r == 0 && cbor_is(a->databases, CBOR_TEXT))
		r = compare_text(t, frame, page_indexeddb_read, a->databases, "IndexedDB", a, deadline, c);
	if (r == 0 && has_caches(a))
		r = compare_text(t, frame, page_caches_read, a->caches, "Cache Storage", a, deadline, c);
	return r;
}

/* Frames are told by their storage key, not by their address: that is what must be right. */
static int restore_in_page(struct target_ref page, const struct area *a, int64_t deadline, const struct complaint *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct frame_info *frames;
	size_t count = 0;
	int r = frames_list(page.browser, page, arena, deadline, &frames, &count, NULL);

	for (size_t i = 0; i < count && r == 0; i++)
		if (frames[i].key && strcmp(frames[i].key, a->key) == 0)
			return restore_in_frame(frames[i].target, frames[i].id, a, deadline, c);
	if (r == 0)
		r = differ(c, "the partition", a->key);
	return r;
}

static int restore_area(struct target_ref page, const struct area *a, int64_t deadline, const struct complaint *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	char error[128] = "";
	int r;

	page_set_blank(page, a->chain, a->depth);
	r = page_navigate(page, blank_url(arena, a->chain[0], 0), deadline, error, sizeof(error));
	if (r < 0)
		words_set(c->why, c->size, "the storage of %s could not be opened (%s)", a->key, error);
	if (r == 0)
		r = restore_in_page(page, a, deadline, c);
	return r;
}

int restore(struct target_ref page, const struct state *s, int64_t deadline, char *why, size_t size)
{
	struct complaint c = { .why = why, .size = size };
	int r;

	words_set(why, size, "the browser did not do as it was told");
	if (!target_of(page))
		return -EPIPE;
	r = restore_cookies(page.browser, s, deadline, &c);
	for (size_t i = 0; i < state_area_count(s) && r == 0; i++)
		r = restore_area(page, state_area(s, i), deadline, &c);
	page_set_blank(page, NULL, 0);
	return r;
}
