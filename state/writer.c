#include "state/writer.h"

#include <errno.h>
#include <string.h>

#include "common/arena.h"
#include "common/cbor_out.h"

#define MOST_TEXTS 64

struct texts {
	const char *items[MOST_TEXTS];
	size_t count;
};

struct state_writer {
	struct arena *arena;
	struct cbor_out *out;
	size_t size;                   /* of what has been written, as far as it comes from elsewhere */
	const char *keys[STATE_AREAS]; /* of the areas that are in it */
	size_t key_count;
	bool in_areas;
	struct texts not_portable, missed;
};

static void put_int(struct cbor_out *o, const char *key, int64_t value)
{
	cbor_put_text(o, key);
	cbor_put_int(o, value);
}

static size_t raw_size(const struct cbor *v)
{
	size_t n = 0;

	return cbor_raw(v, &n) ? n : 0;
}

/* A state that is too large is none, so nothing is written that would make it so. */
static bool has_room(const struct state_writer *w, size_t more)
{
	return w->size <= STATE_MOST && more <= STATE_MOST - w->size;
}

static void put_raw(struct state_writer *w, const struct cbor *v)
{
	size_t n = 0;
	const uint8_t *p = cbor_raw(v, &n);

	cbor_put_raw(w->out, p, n);
	w->size += n;
}

static void put_raw_of(struct state_writer *w, const char *key, const struct cbor *v, enum cbor_type type)
{
	cbor_put_text(w->out, key);
	if (cbor_is(v, type))
		put_raw(w, v);
	else
		cbor_put_null(w->out);
}

static void put_screen(struct cbor_out *o, const struct monitor *s)
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

static void writer_put_head(struct cbor_out *o, const char *site, int64_t captured_at_ms, const struct environment *e)
{
	put_int(o, "format", STATE_FORMAT);
	state_put_text(o, "site", site);
	put_int(o, "captured_at_ms", captured_at_ms);
	cbor_put_text(o, "environment");
	cbor_map_begin(o);
	state_put_text(o, "user_agent", e->user_agent);
	state_put_text(o, "agent", e->agent);
	state_put_text(o, "languages", e->languages);
	state_put_text(o, "time_zone", e->time_zone);
	state_put_text(o, "locale", e->locale);
	put_int(o, "width", e->width);
	put_int(o, "height", e->height);
	put_screen(o, &e->screen);
	cbor_map_end(o);
}

struct state_writer *state_writer_new(const char *site, int64_t captured_at_ms, const struct environment *e)
{
	struct arena *arena = arena_new_secret(0);
	struct state_writer *w = arena_alloc(arena, sizeof(*w));

	w->arena = arena;
	w->out = cbor_out_new();
	cbor_map_begin(w->out);
	writer_put_head(w->out, site, captured_at_ms, e);
	return w;
}

struct state_writer *state_writer_free(struct state_writer *w)
{
	if (!w)
		return NULL;
	cbor_out_free(w->out);
	arena_free(w->arena);
	return NULL;
}

void state_writer_freep(struct state_writer **w)
{
	*w = state_writer_free(*w);
}

int state_writer_cookies(struct state_writer *w, const struct cbor *list)
{
	if (!has_room(w, raw_size(list)))
		return -E2BIG;
	put_raw_of(w, "cookies", list, CBOR_ARRAY);
	return 0;
}

bool state_writer_has(const struct state_writer *w, const char *key)
{
	for (size_t i = 0; i < w->key_count; i++)
		if (strcmp(w->keys[i], key) == 0)
			return true;
	return false;
}

static void begin_areas(struct state_writer *w)
{
	if (w->in_areas)
		return;
	w->in_areas = true;
	cbor_put_text(w->out, "areas");
	cbor_array_begin(w->out);
}

static void writer_put_area(struct state_writer *w, const struct area *a)
{
	cbor_map_begin(w->out);
	state_put_text(w->out, "key", a->key);
	cbor_put_text(w->out, "chain");
	cbor_put_array(w->out, a->depth);
	for (size_t i = 0; i < a->depth; i++)
		cbor_put_text(w->out, a->chain[i]);
	put_raw_of(w, "local", a->local, CBOR_ARRAY);
	put_raw_of(w, "session", a->session, CBOR_ARRAY);
	put_raw_of(w, "databases", a->databases, CBOR_TEXT);
	put_raw_of(w, "caches", a->caches, CBOR_TEXT);
	cbor_map_end(w->out);
}

static size_t area_size(const struct area *a)
{
	return a->whole ? raw_size(a->whole) :
			  raw_size(a->local) + raw_size(a->session) + raw_size(a->databases) + raw_size(a->caches);
}

int state_writer_area(struct state_writer *w, const struct area *a)
{
	if (!has_room(w, area_size(a)) || w->key_count == STATE_AREAS)
		return -E2BIG;
	w->keys[w->key_count++] = arena_strdup(w->arena, a->key);
	begin_areas(w);
	if (a->whole)
		put_raw(w, a->whole);
	else
		writer_put_area(w, a);
	return 0;
}

int state_writer_carry(struct state_writer *w, const struct state *before)
{
	int r = 0;

	for (size_t i = 0; before && i < state_area_count(before) && r == 0; i++)
		if (!state_writer_has(w, state_area(before, i)->key))
			r = state_writer_area(w, state_area(before, i));
	return r;
}

/* Once, for many records of a database say the same. */
static void writer_add_text(struct state_writer *w, struct texts *to, const char *text)
{
	for (size_t i = 0; i < to->count; i++)
		if (strcmp(to->items[i], text) == 0)
			return;
	if (to->count < MOST_TEXTS)
		to->items[to->count++] = arena_strdup(w->arena, text);
}

void state_writer_not_portable(struct state_writer *w, const char *text)
{
	writer_add_text(w, &w->not_portable, text);
}

void state_writer_missed(struct state_writer *w, const char *text)
{
	writer_add_text(w, &w->missed, text);
}

static void put_texts(struct cbor_out *o, const char *key, const struct texts *t)
{
	cbor_put_text(o, key);
	cbor_put_array(o, t->count);
	for (size_t i = 0; i < t->count; i++)
		cbor_put_text(o, t->items[i]);
}

int state_writer_finish(struct state_writer *w, struct state **ret)
{
	begin_areas(w);
	cbor_array_end(w->out);
	put_texts(w->out, "not_portable", &w->not_portable);
	put_texts(w->out, "missed", &w->missed);
	cbor_map_end(w->out);
	return state_of_out(w->out, ret);
}
