#include "streamd/session/capture.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "state/writer.h"
#include "streamd/browser/blank.h"
#include "streamd/browser/frames.h"
#include "streamd/browser/page.h"
#include "streamd/browser/pages.h"

#define MOST_LOST     400 /* a sentence of what is not portable */
#define MOST_DATABASE (48 << 20) /* text of one storage key's databases */
#define MOST_CACHES   (2 << 20)  /* text of one storage key's Cache Storage */
#define MOST_CACHED   (256 << 10) /* bytes of one answer in it */
#define READ_MS       30000 /* for what takes a while because it is much; a page that is late with one thing is left earlier */

/* A capture under way. */
struct capturing {
	struct browser *browser;
	const struct recipe *recipe;
	struct target_ref first; /* the page whose storage counts where several have it; NO_TARGET: the oldest's */
	const struct state *before; /* what this browser was given; NULL if nothing */
	bool whole;
	int64_t deadline;
	struct arena *arena;
	struct state_writer *out;
	const char *silent[STATE_AREAS]; /* storage keys whose page does not answer */
	size_t silent_count;
};

static int capture_put_cookies(struct capturing *c)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = cdp_call(browser_cdp(c->browser), "", "Storage.getCookies", c->deadline, &reply);

	if (r < 0)
		return r;
	return state_writer_cookies(c->out, cbor_get(reply.result, "cookies"));
}

/* Its page, and so perhaps every other one of its process, does not answer; asking again would take as long. */
static bool is_key_silent(const struct capturing *c, const char *key)
{
	for (size_t i = 0; i < c->silent_count; i++)
		if (strcmp(c->silent[i], key) == 0)
			return true;
	return false;
}

static bool capture_is_wanted(const struct capturing *c, const struct frame_info *f)
{
	const struct recipe *r = c->recipe;

	if (!f->key || f->depth == 0 || state_writer_has(c->out, f->key) || is_key_silent(c, f->key))
		return false;
	if (r->capture.origins_count == 0)
		return true;
	for (size_t i = 0; i < r->capture.origins_count; i++)
		if (strcmp(r->capture.origins[i], f->origin) == 0)
			return true;
	return false;
}

/* Where a note goes: state_writer_not_portable() or state_writer_missed(). */
typedef void (*note_to)(struct state_writer *w, const char *text);

static void capture_note(struct capturing *c, note_to to, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void capture_note(struct capturing *c, note_to to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	to(c->out, words_new(c->arena, MOST_LOST, "%s", arena_vprintf(c->arena, format, args)));
	va_end(args);
}

/* What the browser that was signed in with had is not in those that came after it, and is as little in them as ever. */
static void note_known(struct capturing *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	const struct cbor *list = c->before ? state_not_portable_list(c->before) : NULL;

	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v))
		capture_note(c, state_writer_not_portable, "%s", cbor_text_utf8(arena, v) ?: "");
}

/* A page may let it go until the next time; what a key or its size keeps there stays there. */
static note_to notes_for(const char *reason)
{
	return strcmp(reason, "held") == 0 ? state_writer_missed : state_writer_not_portable;
}

/* What a page's reason means: "https://x.test keeps ... in IndexedDB (...)". */
static const char *reason_words(struct arena *arena, const char *reason)
{
	if (strcmp(reason, "CryptoKey") == 0)
		return "a key that cannot leave the browser";
	if (strcmp(reason, "held") == 0)
		return "something that one of its pages does not let go of";
	if (strcmp(reason, "too large") == 0)
		return "more than can be taken along";
	if (strcmp(reason, "storage bucket") == 0)
		return "a storage bucket";
	return words_new(arena, 100, "something that cannot be read (%s)", reason);
}

static const char *word_of(struct arena *arena, const struct cbor *v, const char *key)
{
	return words_new(arena, 100, "%s", cbor_get_utf8(arena, v, key) ?: "-");
}

static void note_lost(struct capturing *c, const struct frame_info *f, const struct cbor *list)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);

	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v)) {
		const char *store = word_of(arena, v, "store");
		capture_note(c, notes_for(word_of(arena, v, "reason")), "%s keeps %s in IndexedDB (database %s%s%s)", f->origin,
			reason_words(arena, word_of(arena, v, "reason")), word_of(arena, v, "database"),
			*store == '-' ? "" : ", store ", *store == '-' ? "" : store);
	}
}

static void note_lost_caches(struct capturing *c, const struct frame_info *f, const struct cbor *list)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);

	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v))
		capture_note(c, notes_for(word_of(arena, v, "reason")), "%s keeps %s in Cache Storage (%s)", f->origin,
			reason_words(arena, word_of(arena, v, "reason")), word_of(arena, v, "cache"));
}

static const struct area *area_before(const struct capturing *c, const char *key)
{
	for (size_t i = 0; c->before && i < state_area_count(c->before); i++)
		if (strcmp(state_area(c->before, i)->key, key) == 0)
			return state_area(c->before, i);
	return NULL;
}

/* sessionStorage belongs to the tab, so that of an origin which a hidden tab reads for us is not to be seen there. */
static const struct cbor *capture_session_of(const struct capturing *c, const struct frame_info *f, const struct cbor *read)
{
	const struct area *before = f->hidden ? area_before(c, f->key) : NULL;

	return before ? before->session : cbor_get(read, "session");
}

/* What was read of a storage key. */
struct area_read {
	struct cdp_reply storage, databases, caches;
};

static void area_read_end(struct area_read *a)
{
	cdp_reply_free(&a->storage);
	cdp_reply_free(&a->databases);
	cdp_reply_free(&a->caches);
}

/* -E2BIG when it is too much. */
static int write_area(struct capturing *c, const struct frame_info *f, const struct area_read *read)
{
	const struct cbor *storage = frame_value(&read->storage), *databases = frame_value(&read->databases);
	const struct cbor *caches = frame_value(&read->caches);
	const struct area area = { .key = f->key, .chain = f->chain, .depth = f->depth,
		.local = cbor_get(storage, "local"), .session = capture_session_of(c, f, storage),
		.databases = cbor_get(databases, "text"), .caches = cbor_get(caches, "text") };
	int r = state_writer_area(c->out, &area);

	if (r < 0)
		return r;
	note_lost(c, f, cbor_get(databases, "notPortable"));
	note_lost_caches(c, f, cbor_get(caches, "notPortable"));
	return 0;
}

/* Of a database that a page holds, what was there before is better than nothing. */
static int read_databases(struct capturing *c, const struct frame_info *f, struct cdp_reply *ret)
{
	const struct area *before = area_before(c, f->key);

	return frame_call(f->target, f->id, page_indexeddb_read, deadline_min(c->deadline, deadline_in(READ_MS)), ret,
		CDP_INT("maxBytes", MOST_DATABASE),
		CDP_VALUE("before", before && cbor_is(before->databases, CBOR_TEXT) ? before->databases : NULL));
}

static int capture_read_area(struct capturing *c, const struct frame_info *f, struct area_read *ret)
{
	int r = frame_call(f->target, f->id, page_storage_read, deadline_min(c->deadline, deadline_in(FRAMES_ANSWER_MS)),
		&ret->storage);

	if (r == 0)
		r = read_databases(c, f, &ret->databases);
	if (r == 0)
		r = frame_call(f->target, f->id, page_caches_read, deadline_min(c->deadline, deadline_in(READ_MS)), &ret->caches,
			CDP_INT("maxBytes", MOST_CACHES), CDP_INT("mostBytes", MOST_CACHED));
	return r;
}

static void note_silent(struct capturing *c, const struct frame_info *f)
{
	if (c->silent_count == STATE_AREAS)
		return;
	c->silent[c->silent_count++] = f->key;
	capture_note(c, state_writer_missed, "%s keeps what its page, which does not answer, has stored", f->origin);
}

/* One storage key, read in one of the frames that have it. -EPIPE and -EREMOTE: that frame has gone. */
static int capture_put_area(struct capturing *c, const struct frame_info *f)
{
	CLEANUP(area_read_end) struct area_read a = { 0 };
	int r = capture_read_area(c, f, &a);

	if (r == 0)
		r = write_area(c, f, &a);
	if (r == -ETIMEDOUT && loop_now() < c->deadline) {
		note_silent(c, f);
		r = 0;
	}
	return r;
}

static int put_frames(struct capturing *c, struct target_ref page)
{
	struct frame_info *frames;
	size_t count = 0, silent = 0;
	int r = frames_list(c->browser, page, c->arena, c->deadline, &frames, &count, &silent);

	if (count == FRAMES_MOST)
		capture_note(c, state_writer_not_portable, "the page has more frames than are looked at");
	if (silent)
		capture_note(c, state_writer_missed, "a page or a frame of it does not answer, so what it has stored is not known");
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!capture_is_wanted(c, &frames[i]))
			continue;
		r = capture_put_area(c, &frames[i]);
		if (r == -EPIPE || r == -EREMOTE)
			r = 0; /* the frame went while we looked; if it mattered, the next snapshot differs */
	}
	return r;
}

/* An origin whose page has been left, the identity provider's usually: its storage is still there to be read. */
static int put_left_origin(struct capturing *c, const char *origin)
{
	struct target_ref tab;
	char why[128];
	int r = browser_open_hidden(c->browser, false, c->deadline, &tab);

	if (r < 0)
		return r;
	page_set_blank(tab, &origin, 1);
	r = page_navigate(tab, blank_url(c->arena, origin, 0), deadline_min(c->deadline, deadline_in(FRAMES_ANSWER_MS)), why,
		sizeof(why));
	if (r == -ETIMEDOUT)
		capture_note(c, state_writer_missed, "%s keeps what it has stored in a browser that does not answer", origin);
	else
		r = put_frames(c, tab);
	page_set_blank(tab, NULL, 0);
	page_close_hidden(tab);
	return r == -EPIPE || r == -EREMOTE || r == -ETIMEDOUT ? 0 : r;
}

static int put_left_origins(struct capturing *c)
{
	size_t count;
	bool more;
	const char *const *origins = browser_origins_seen(c->browser, &count, &more);
	int r = 0;

	if (more)
		capture_note(c, state_writer_not_portable, "the browser has been at more origins than are looked at");

	for (size_t i = 0; i < count && r == 0; i++) { /* a first-party storage key is the origin and a slash */
		const char *key = arena_printf(c->arena, "%s/", origins[i]);
		if (!state_writer_has(c->out, key) && !is_key_silent(c, key))
			r = put_left_origin(c, origins[i]);
	}
	return r;
}

/* What a worker that many pages share holds in its memory is seen by nobody; that there is one can be told. */
static int note_workers(struct capturing *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r = cdp_call(browser_cdp(c->browser), "", "Target.getTargets", c->deadline, &reply,
		CDP_LIST("filter", CDP_MAP(NULL, CDP_TEXT("type", "shared_worker"))));

	if (r < 0)
		return r == -EREMOTE ? 0 : r;
	for (const struct cbor *t = cbor_first(cbor_get(reply.result, "targetInfos")); t; t = cbor_next(t))
		capture_note(c, state_writer_not_portable, "a SharedWorker (%s) keeps what is in its memory", url_shown(url_in(arena, cbor_get_utf8(arena, t, "url"))));
	return 0;
}

static void note_bound(struct capturing *c)
{
	const char *site;

	for (size_t i = 0; (site = browser_bound(c->browser, i)); i++)
		capture_note(c, state_writer_not_portable, "%s has bound its session to a key of the device (DBSC)", site);
}

static int write_document(struct capturing *c)
{
	int r;

	note_known(c);
	note_bound(c);
	r = capture_put_cookies(c);
	if (r == 0 && c->first.number)
		r = put_frames(c, c->first);
	if (r == 0 || r == -EPIPE) /* the first has gone */
		r = put_frames(c, NO_TARGET);
	if (r == 0 && c->whole)
		r = put_left_origins(c);
	if (r == 0 && c->whole)
		r = note_workers(c);
	return r < 0 ? r : state_writer_carry(c->out, c->before);
}

static int capture_run(struct capturing *c, struct state **ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	CLEANUP(state_writer_freep) struct state_writer *out =
		state_writer_new(c->recipe->name, wall_now(), browser_environment(c->browser));
	int r;

	c->arena = arena;
	c->out = out;
	r = write_document(c);
	return r < 0 ? r : state_writer_finish(out, ret);
}

int capture(struct browser *b, struct target_ref first, const struct recipe *recipe, int64_t deadline, struct state **ret)
{
	struct capturing c = { .browser = b, .recipe = recipe, .first = first, .deadline = deadline };

	return capture_run(&c, ret);
}

int capture_whole(struct browser *b, struct target_ref first, const struct recipe *recipe, const struct state *before,
	int64_t deadline, struct state **ret)
{
	struct capturing c = { .browser = b, .recipe = recipe, .first = first, .before = before, .whole = true,
		.deadline = deadline };

	return capture_run(&c, ret);
}
