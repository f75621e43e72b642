#include "streamd/capture.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/cbor_out.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "streamd/blank.h"
#include "streamd/frames.h"
#include "streamd/pages.h"

#define MOST_LOST     400 /* a sentence of what is not portable */
#define MOST_DATABASE (48 << 20) /* text of one storage key's databases */
#define MOST_CACHES   (2 << 20)  /* text of one storage key's Cache Storage */
#define MOST_CACHED   (256 << 10) /* bytes of one answer in it */
#define READ_MS       30000 /* for what takes a while because it is much; a page that is late with one thing is left earlier */
#define MOST_KEYS     512 /* as many areas as a state may have */

/* A capture under way. */
struct capturing {
	struct browser *browser;
	const struct recipe *recipe;
	struct target_ref first; /* the page whose storage counts where several have it; NO_TARGET: the oldest's */
	const struct state *before; /* what this browser was given; NULL if nothing */
	bool whole;
	int64_t deadline;
	struct arena *arena;
	struct cbor_out *out;
	size_t size; /* of what has been written, as far as it comes from the browser */
	const char *keys[MOST_KEYS]; /* storage keys that have been taken */
	size_t key_count;
	const char *silent[MOST_KEYS]; /* those whose page does not answer */
	size_t silent_count;
	struct notes {
		const char *texts[64];
		size_t count;
	} lost, missed; /* what is not portable, and what could not be read this time */
};

static void put_text(struct cbor_out *o, const char *key, const char *value)
{
	if (!value)
		return;
	cbor_put_text(o, key);
	cbor_put_text(o, value);
}

static void put_int(struct cbor_out *o, const char *key, int64_t value)
{
	cbor_put_text(o, key);
	cbor_put_int(o, value);
}

static void put_raw(struct capturing *c, const char *key, const struct cbor *value)
{
	size_t n;
	const uint8_t *p = value ? cbor_raw(value, &n) : NULL;

	cbor_put_text(c->out, key);
	if (p)
		cbor_put_raw(c->out, p, n);
	else
		cbor_put_null(c->out);
	c->size += p ? n : 1;
}

/* The same with a value of this type alone; a page says what it likes. */
static void put_raw_of(struct capturing *c, const char *key, const struct cbor *value, enum cbor_type type)
{
	put_raw(c, key, cbor_is(value, type) ? value : NULL);
}

static size_t raw_size(const struct cbor *value)
{
	size_t n = 0;

	return cbor_raw(value, &n) ? n : 0;
}

/* A state that is too large is none, so nothing is read that would make it so. */
static bool has_room(const struct capturing *c, size_t more)
{
	return c->size <= STATE_MOST && more <= STATE_MOST - c->size;
}

static void put_screen(struct cbor_out *o, const struct screen *s)
{
	if (!s->width)
		return;
	cbor_put_text(o, "screen");
	cbor_map_begin(o);
	put_int(o, "width", s->width);
	put_int(o, "height", s->height);
	put_int(o, "color_depth", s->color_depth);
	cbor_map_end(o);
}

static void put_head(struct capturing *c)
{
	const struct environment *e = browser_environment(c->browser);

	put_int(c->out, "format", STATE_FORMAT);
	put_text(c->out, "site", c->recipe->name);
	put_int(c->out, "captured_at_ms", wall_now());
	cbor_put_text(c->out, "environment");
	cbor_map_begin(c->out);
	put_text(c->out, "user_agent", e->user_agent);
	put_text(c->out, "languages", e->languages);
	put_text(c->out, "time_zone", e->time_zone);
	put_text(c->out, "locale", e->locale);
	put_int(c->out, "width", e->width);
	put_int(c->out, "height", e->height);
	put_screen(c->out, &e->screen);
	cbor_map_end(c->out);
}

static int put_cookies(struct capturing *c)
{
	struct cdp_reply reply;
	int r = cdp_call(browser_cdp(c->browser), "", "Storage.getCookies", c->deadline, &reply);

	if (r < 0)
		return r;
	r = has_room(c, raw_size(cbor_get(reply.result, "cookies"))) ? 0 : -E2BIG;
	if (r == 0)
		put_raw(c, "cookies", cbor_get(reply.result, "cookies"));
	cdp_reply_free(&reply);
	return r;
}

static bool is_among(const char *const *keys, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static int note_taken(struct capturing *c, const char *key)
{
	if (c->key_count == MOST_KEYS)
		return -E2BIG;
	c->keys[c->key_count++] = arena_strdup(c->arena, key);
	return 0;
}

static bool is_key_taken(const struct capturing *c, const char *key)
{
	return is_among(c->keys, c->key_count, key);
}

/* Its page, and so perhaps every other one of its process, does not answer; asking again would take as long. */
static bool is_key_silent(const struct capturing *c, const char *key)
{
	return is_among(c->silent, c->silent_count, key);
}

static bool is_wanted(const struct capturing *c, const struct frame_info *f)
{
	const struct recipe *r = c->recipe;

	if (!f->key || f->depth == 0 || is_key_taken(c, f->key) || is_key_silent(c, f->key))
		return false;
	if (r->capture.origins_count == 0)
		return true;
	for (size_t i = 0; i < r->capture.origins_count; i++)
		if (strcmp(r->capture.origins[i], f->origin) == 0)
			return true;
	return false;
}

static void note(struct capturing *c, struct notes *to, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Once, for many records of a database say the same. */
static void note(struct capturing *c, struct notes *to, const char *format, ...)
{
	const char *text;
	va_list args;

	if (to->count == sizeof(to->texts) / sizeof(*to->texts))
		return;
	va_start(args, format);
	text = words_new(c->arena, MOST_LOST, "%s", arena_vprintf(c->arena, format, args));
	va_end(args);
	if (!is_among(to->texts, to->count, text))
		to->texts[to->count++] = text;
}

/* What the browser that was signed in with had is not in those that came after it, and is as little in them as ever. */
static void note_known(struct capturing *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	const struct cbor *list = c->before ? state_not_portable_list(c->before) : NULL;

	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v))
		note(c, &c->lost, "%s", cbor_text_utf8(arena, v) ?: "");
}

/* A page may let it go until the next time; what a key or its size keeps there stays there. */
static struct notes *notes_for(struct capturing *c, const char *reason)
{
	return strcmp(reason, "held") == 0 ? &c->missed : &c->lost;
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
		const char *text = arena_printf(arena, "%s keeps %s in IndexedDB (database %s%s%s)", f->origin,
			reason_words(arena, word_of(arena, v, "reason")), word_of(arena, v, "database"),
			*store == '-' ? "" : ", store ", *store == '-' ? "" : store);
		note(c, notes_for(c, word_of(arena, v, "reason")), "%s", text);
	}
}

static void note_lost_caches(struct capturing *c, const struct frame_info *f, const struct cbor *list)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);

	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v))
		note(c, notes_for(c, word_of(arena, v, "reason")), "%s keeps %s in Cache Storage (%s)", f->origin,
			reason_words(arena, word_of(arena, v, "reason")), word_of(arena, v, "cache"));
}

static void put_chain(struct cbor_out *o, const struct frame_info *f)
{
	cbor_put_text(o, "chain");
	cbor_put_array(o, f->depth);
	for (size_t i = 0; i < f->depth; i++)
		cbor_put_text(o, f->chain[i]);
}

static const struct area *area_before(const struct capturing *c, const char *key)
{
	for (size_t i = 0; c->before && i < state_area_count(c->before); i++)
		if (strcmp(state_area(c->before, i)->key, key) == 0)
			return state_area(c->before, i);
	return NULL;
}

/* sessionStorage belongs to the tab, so that of an origin which a hidden tab reads for us is not to be seen there. */
static const struct cbor *session_of(const struct capturing *c, const struct frame_info *f, const struct cbor *read)
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
static int write_area(struct capturing *c, const struct frame_info *f, const struct area_read *a)
{
	const struct cbor *storage = frame_value(&a->storage), *local = cbor_get(storage, "local");
	const struct cbor *session = session_of(c, f, storage), *databases = frame_value(&a->databases);
	const struct cbor *text = cbor_get(databases, "text"), *caches = cbor_get(frame_value(&a->caches), "text");
	size_t all = raw_size(local) + raw_size(session) + raw_size(text) + raw_size(caches);
	int r = has_room(c, all) ? note_taken(c, f->key) : -E2BIG;

	if (r < 0)
		return r;
	cbor_map_begin(c->out);
	put_text(c->out, "key", f->key);
	put_chain(c->out, f);
	put_raw_of(c, "local", local, CBOR_ARRAY);
	put_raw_of(c, "session", session, CBOR_ARRAY);
	put_raw_of(c, "databases", text, CBOR_TEXT);
	put_raw_of(c, "caches", caches, CBOR_TEXT);
	cbor_map_end(c->out);
	note_lost(c, f, cbor_get(databases, "notPortable"));
	note_lost_caches(c, f, cbor_get(frame_value(&a->caches), "notPortable"));
	return 0;
}

/* Of a database that a page holds, what was there before is better than nothing. */
static int read_databases(struct capturing *c, const struct frame_info *f, struct cdp_reply *ret)
{
	const struct area *before = area_before(c, f->key);
	struct cdp_arg value[3] = { CDP_INT("maxBytes", MOST_DATABASE), { 0 } };
	size_t n = 0;

	if (before && cbor_is(before->databases, CBOR_TEXT))
		value[1] = (struct cdp_arg)CDP_RAW("before", cbor_raw(before->databases, &n), n);
	const struct cdp_arg wrapped[] = { { .name = "value", .kind = CDP_KIND_MAP, .inner = value }, { 0 } };
	const struct cdp_arg args[] = { { .kind = CDP_KIND_MAP, .inner = wrapped }, { 0 } };
	return frame_call_args(f->target, f->id, page_indexeddb_read, deadline_min(c->deadline, deadline_in(READ_MS)), ret, args);
}

static int read_area(struct capturing *c, const struct frame_info *f, struct area_read *ret)
{
	int r = frame_call(f->target, f->id, page_storage_read, deadline_min(c->deadline, deadline_in(FRAMES_ANSWER_MS)),
		&ret->storage);

	if (r == 0)
		r = read_databases(c, f, &ret->databases);
	if (r == 0)
		r = frame_call(f->target, f->id, page_caches_read, deadline_min(c->deadline, deadline_in(READ_MS)), &ret->caches,
			CDP_MAP(NULL, CDP_MAP("value", CDP_INT("maxBytes", MOST_CACHES), CDP_INT("mostBytes", MOST_CACHED))));
	return r;
}

static void note_silent(struct capturing *c, const struct frame_info *f)
{
	if (c->silent_count == MOST_KEYS)
		return;
	c->silent[c->silent_count++] = f->key;
	note(c, &c->missed, "%s keeps what its page, which does not answer, has stored", f->origin);
}

/* One storage key, read in one of the frames that have it. -EPIPE and -EREMOTE: that frame has gone. */
static int put_area(struct capturing *c, const struct frame_info *f)
{
	CLEANUP(area_read_end) struct area_read a = { 0 };
	int r = read_area(c, f, &a);

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
		note(c, &c->lost, "the page has more frames than are looked at");
	if (silent)
		note(c, &c->missed, "a page or a frame of it does not answer, so what it has stored is not known");
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!is_wanted(c, &frames[i]))
			continue;
		r = put_area(c, &frames[i]);
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
		note(c, &c->missed, "%s keeps what it has stored in a browser that does not answer", origin);
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
		note(c, &c->lost, "the browser has been at more origins than are looked at");

	for (size_t i = 0; i < count && r == 0; i++) { /* a first-party storage key is the origin and a slash */
		const char *key = arena_printf(c->arena, "%s/", origins[i]);
		if (!is_key_taken(c, key) && !is_key_silent(c, key))
			r = put_left_origin(c, origins[i]);
	}
	return r;
}

/* What a worker that many pages share holds in its memory is seen by nobody; that there is one can be told. */
static int note_workers(struct capturing *c)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct cdp_reply reply;
	int r = cdp_call(browser_cdp(c->browser), "", "Target.getTargets", c->deadline, &reply,
		CDP_LIST("filter", CDP_MAP(NULL, CDP_TEXT("type", "shared_worker"))));

	if (r < 0)
		return r == -EREMOTE ? 0 : r;
	for (const struct cbor *t = cbor_first(cbor_get(reply.result, "targetInfos")); t; t = cbor_next(t))
		note(c, &c->lost, "a SharedWorker (%s) keeps what is in its memory", url_shown(url_in(arena, cbor_get_utf8(arena, t, "url"))));
	cdp_reply_free(&reply);
	return 0;
}

static void note_bound(struct capturing *c)
{
	const char *site;

	for (size_t i = 0; (site = browser_bound(c->browser, i)); i++)
		note(c, &c->lost, "%s has bound its session to a key of the device (DBSC)", site);
}

static int put_carried(struct capturing *c)
{
	int r = 0;

	for (size_t i = 0; c->before && i < state_area_count(c->before) && r == 0; i++) {
		const struct area *a = state_area(c->before, i);
		size_t n = 0;
		const uint8_t *p = cbor_raw(a->whole, &n);
		if (is_key_taken(c, a->key))
			continue;
		r = has_room(c, n) ? note_taken(c, a->key) : -E2BIG;
		if (r == 0)
			cbor_put_raw(c->out, p, n);
		c->size += n;
	}
	return r;
}

static void put_notes(struct capturing *c, const char *key, const struct notes *notes)
{
	cbor_put_text(c->out, key);
	cbor_put_array(c->out, notes->count);
	for (size_t i = 0; i < notes->count; i++)
		cbor_put_text(c->out, notes->texts[i]);
}

static int write_document(struct capturing *c)
{
	int r;

	note_known(c);
	note_bound(c);
	cbor_map_begin(c->out);
	put_head(c);
	r = put_cookies(c);
	cbor_put_text(c->out, "areas");
	cbor_array_begin(c->out);
	if (r == 0 && c->first.number)
		r = put_frames(c, c->first);
	if (r == 0 || r == -EPIPE) /* the first has gone */
		r = put_frames(c, NO_TARGET);
	if (r == 0 && c->whole)
		r = put_left_origins(c);
	if (r == 0 && c->whole)
		r = note_workers(c);
	if (r == 0)
		r = put_carried(c);
	cbor_array_end(c->out);
	put_notes(c, "not_portable", &c->lost);
	put_notes(c, "missed", &c->missed);
	cbor_map_end(c->out);
	return r;
}

static int run(struct capturing *c, struct state **ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	CLEANUP(cbor_out_freep) struct cbor_out *out = cbor_out_new();
	const uint8_t *bytes;
	char why[256];
	size_t n;
	int r;

	c->arena = arena;
	c->out = out;
	r = write_document(c);
	if (r == 0)
		r = cbor_out_finish(out, &bytes, &n);
	if (r == 0 && n > STATE_MOST)
		r = -E2BIG;
	if (r == 0)
		r = state_read(bytes, n, ret, why, sizeof(why));
	return r;
}

int capture(struct browser *b, const struct recipe *recipe, int64_t deadline, struct state **ret)
{
	struct capturing c = { .browser = b, .recipe = recipe, .deadline = deadline };

	return run(&c, ret);
}

int capture_page(struct target_ref page, const struct recipe *recipe, int64_t deadline, struct state **ret)
{
	struct capturing c = { .browser = page.browser, .recipe = recipe, .first = page, .deadline = deadline };

	return run(&c, ret);
}

int capture_whole(struct browser *b, struct target_ref first, const struct recipe *recipe, const struct state *before,
	int64_t deadline, struct state **ret)
{
	struct capturing c = { .browser = b, .recipe = recipe, .first = first, .before = before, .whole = true,
		.deadline = deadline };

	return run(&c, ret);
}
