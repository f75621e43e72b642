#include "streamd/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cbor_out.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "streamd/blank.h"
#include "streamd/frames.h"
#include "streamd/pages.h"

#define MOST_DATABASE (48 << 20) /* text of one storage key's databases */
#define MOST_KEYS     256

/* A capture under way. */
struct capturing {
	struct browser *browser;
	const struct recipe *recipe;
	const struct state *before; /* what this browser was given; NULL if nothing */
	bool whole;
	int64_t deadline;
	struct arena *arena;
	struct cbor_out *out;
	const char *keys[MOST_KEYS]; /* storage keys that have been taken */
	size_t key_count;
	const char *lost[64]; /* what is not portable */
	size_t lost_count;
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

static void put_raw(struct cbor_out *o, const char *key, const struct cbor *value)
{
	size_t n;
	const uint8_t *p = value ? cbor_raw(value, &n) : NULL;

	cbor_put_text(o, key);
	if (p)
		cbor_put_raw(o, p, n);
	else
		cbor_put_null(o);
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
	cbor_map_end(c->out);
}

static int put_cookies(struct capturing *c)
{
	struct cdp_reply reply;
	int r = cdp_call(browser_cdp(c->browser), "", "Storage.getCookies", c->deadline, &reply);

	if (r < 0)
		return r;
	put_raw(c->out, "cookies", cbor_get(reply.result, "cookies"));
	cdp_reply_free(&reply);
	return 0;
}

static void note_taken(struct capturing *c, const char *key)
{
	if (c->key_count < MOST_KEYS)
		c->keys[c->key_count++] = arena_strdup(c->arena, key);
}

static bool is_key_taken(const struct capturing *c, const char *key)
{
	for (size_t i = 0; i < c->key_count; i++)
		if (strcmp(c->keys[i], key) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct capturing *c, const struct frame_info *f)
{
	const struct recipe *r = c->recipe;

	if (!f->key || f->depth == 0 || is_key_taken(c, f->key))
		return false;
	if (r->capture.origins_count == 0)
		return true;
	for (size_t i = 0; i < r->capture.origins_count; i++)
		if (strcmp(r->capture.origins[i], f->origin) == 0)
			return true;
	return false;
}

static void note_lost(struct capturing *c, const struct frame_info *f, const struct cbor *list)
{
	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v)) {
		if (c->lost_count == sizeof(c->lost) / sizeof(*c->lost))
			return;
		c->lost[c->lost_count++] = arena_printf(c->arena, "%s: database %s, store %s: %s", f->origin,
			cbor_get_utf8(c->arena, v, "database"), cbor_get_utf8(c->arena, v, "store"),
			cbor_get_utf8(c->arena, v, "reason"));
	}
}

static void put_chain(struct cbor_out *o, const struct frame_info *f)
{
	cbor_put_text(o, "chain");
	cbor_put_array(o, f->depth);
	for (size_t i = 0; i < f->depth; i++)
		cbor_put_text(o, f->chain[i]);
}

/* sessionStorage belongs to the tab, so that of an origin which a hidden tab reads for us is not to be seen there. */
static const struct cbor *session_of(const struct capturing *c, const struct target *t, const struct frame_info *f,
	const struct cbor *read)
{
	if (!t->hidden || !c->before)
		return cbor_get(read, "session");
	for (size_t i = 0; i < state_area_count(c->before); i++)
		if (strcmp(state_area(c->before, i)->key, f->key) == 0)
			return state_area(c->before, i)->session;
	return cbor_get(read, "session");
}

/* One storage key, read in one of the frames that have it. -EPIPE and -EREMOTE: that frame has gone. */
static int put_area(struct capturing *c, const struct frame_info *f)
{
	struct target *t = frame_target(c->browser, f);
	struct cdp_reply storage, databases;
	int r;

	if (!t)
		return -EPIPE;
	r = frame_call(t, f->id, page_storage_read, c->deadline, &storage);
	if (r < 0)
		return r;
	t = frame_target(c->browser, f);
	r = !t ? -EPIPE :
		 frame_call(t, f->id, page_indexeddb_read, c->deadline, &databases,
			 CDP_MAP(NULL, CDP_MAP("value", CDP_INT("maxBytes", MOST_DATABASE))));
	if (r == 0) {
		const struct cbor *s = frame_value(&storage), *d = frame_value(&databases);
		cbor_map_begin(c->out);
		put_text(c->out, "key", f->key);
		put_chain(c->out, f);
		put_raw(c->out, "local", cbor_get(s, "local"));
		put_raw(c->out, "session", session_of(c, t, f, s));
		put_raw(c->out, "databases", cbor_get(d, "text"));
		cbor_map_end(c->out);
		note_lost(c, f, cbor_get(d, "notPortable"));
		note_taken(c, f->key);
		cdp_reply_free(&databases);
	}
	cdp_reply_free(&storage);
	return r;
}

static int put_frames(struct capturing *c, const struct target *page)
{
	struct frame_info *frames;
	size_t count;
	int r = frames_list(c->browser, page, c->arena, c->deadline, &frames, &count);

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
	struct target *tab;
	char why[128];
	int r = browser_open_hidden(c->browser, false, c->deadline, &tab);

	if (r < 0)
		return r;
	page_set_blank(tab, &origin, 1);
	r = page_navigate(tab, blank_url(c->arena, origin, 0), c->deadline, why, sizeof(why));
	if (r == 0)
		r = put_frames(c, tab);
	page_set_blank(tab, NULL, 0);
	page_close_hidden(tab);
	return r == -EPIPE || r == -EREMOTE ? 0 : r;
}

static int put_left_origins(struct capturing *c)
{
	size_t count;
	const char *const *origins = browser_origins_seen(c->browser, &count);
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) /* a first-party storage key is the origin and a slash */
		if (!is_key_taken(c, arena_printf(c->arena, "%s/", origins[i])))
			r = put_left_origin(c, origins[i]);
	return r;
}

static void put_carried(struct capturing *c)
{
	for (size_t i = 0; c->before && i < state_area_count(c->before); i++) {
		const struct area *a = state_area(c->before, i);
		size_t n;
		const uint8_t *p = cbor_raw(a->whole, &n);
		if (!is_key_taken(c, a->key))
			cbor_put_raw(c->out, p, n);
	}
}

static void put_lost(struct capturing *c)
{
	cbor_put_text(c->out, "not_portable");
	cbor_put_array(c->out, c->lost_count);
	for (size_t i = 0; i < c->lost_count; i++)
		cbor_put_text(c->out, c->lost[i]);
}

static int write_document(struct capturing *c)
{
	int r;

	cbor_map_begin(c->out);
	put_head(c);
	r = put_cookies(c);
	cbor_put_text(c->out, "areas");
	cbor_array_begin(c->out);
	if (r == 0)
		r = put_frames(c, NULL);
	if (r == 0 && c->whole)
		r = put_left_origins(c);
	put_carried(c);
	cbor_array_end(c->out);
	put_lost(c);
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

int capture_whole(struct browser *b, const struct recipe *recipe, const struct state *before, int64_t deadline,
	struct state **ret)
{
	struct capturing c = { .browser = b, .recipe = recipe, .before = before, .whole = true, .deadline = deadline };

	return run(&c, ret);
}
