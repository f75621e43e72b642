#include "state/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "common/cleanup.h"
#include "common/memfd.h"
#include "common/origin.h"
#include "common/words.h"

#define MOST_ITEMS (4 * CBOR_ITEMS_DEFAULT)
#define MOST_DEPTH 8

/* Of the page in proofs and runs: what a recipe is written for does not depend on whose phone was signed in with. */
#define PAGE_WIDTH  1280
#define PAGE_HEIGHT 800

struct state {
	struct arena *arena;
	const uint8_t *bytes;
	size_t length;
	const struct cbor *root;
	struct area *areas;
	size_t area_count;
	struct state_cookie *cookies;
	size_t cookie_count;
};

static bool state_read_area(struct state *s, const struct cbor *v, struct area *ret)
{
	const struct cbor *chain = cbor_get(v, "chain"), *local = cbor_get(v, "local");
	const struct cbor *session = cbor_get(v, "session");
	size_t depth = cbor_count(chain), i = 0;
	const char **origins;

	ret->whole = v;
	ret->key = cbor_get_utf8(s->arena, v, "key");
	ret->databases = cbor_get(v, "databases");
	ret->caches = cbor_get(v, "caches");
	ret->local = cbor_is(local, CBOR_ARRAY) ? local : NULL;
	ret->session = cbor_is(session, CBOR_ARRAY) ? session : NULL;
	if (!ret->key || depth == 0 || depth > MOST_DEPTH)
		return false;
	origins = arena_array(s->arena, depth, sizeof(*origins));
	for (const struct cbor *o = cbor_first(chain); o; o = cbor_next(o)) {
		origins[i] = cbor_text_utf8(s->arena, o);
		if (!origins[i] || origin_check(origins[i])) /* it comes into documents that are made for it (blank.h) */
			return false;
		i++;
	}
	ret->chain = origins;
	ret->depth = depth;
	return true;
}

static bool read_areas(struct state *s)
{
	const struct cbor *areas = cbor_get(s->root, "areas");

	if (!cbor_is(areas, CBOR_ARRAY) || cbor_count(areas) > STATE_AREAS)
		return false;
	s->areas = arena_array(s->arena, cbor_count(areas), sizeof(*s->areas));
	for (const struct cbor *v = cbor_first(areas); v; v = cbor_next(v))
		if (!state_read_area(s, v, &s->areas[s->area_count++]))
			return false;
	return true;
}

static bool read_cookies(struct state *s)
{
	const struct cbor *list = state_cookies(s);

	if (!cbor_is(list, CBOR_ARRAY))
		return false;
	s->cookies = arena_array(s->arena, cbor_count(list), sizeof(*s->cookies));
	for (const struct cbor *v = cbor_first(list); v; v = cbor_next(v))
		if (!state_cookie_read(s->arena, v, &s->cookies[s->cookie_count++]))
			return false;
	return true;
}

int state_read(const void *bytes, size_t n, struct state **ret, char *why, size_t size)
{
	struct arena *arena = arena_new_secret(n + 65536);
	struct state *s = arena_alloc(arena, sizeof(*s));
	int64_t format = 0;
	int r;

	*why = '\0';
	s->arena = arena;
	s->bytes = arena_memdup(arena, bytes, n);
	s->length = n;
	r = cbor_parse(arena, s->bytes, n, MOST_ITEMS, &s->root);
	cbor_int(cbor_get(s->root, "format"), &format);
	if (r < 0)
		r = words_fail(-EBADMSG, why, size, "The captured session is damaged: it is not the document that was stored.");
	else if (format != STATE_FORMAT)
		r = words_fail(-ENOTSUP, why, size,
			"The captured session is of a format that this version of Stead does not know; sign in to the site again.");
	else if (!read_cookies(s) || !read_areas(s))
		r = words_fail(-EBADMSG, why, size, "The captured session is damaged: parts of it are missing.");
	if (r < 0) {
		arena_free(arena);
		return r;
	}
	*ret = s;
	return 0;
}

int state_of_out(struct cbor_out *out, struct state **ret)
{
	const uint8_t *bytes;
	char why[256];
	size_t n;
	int r = cbor_out_finish(out, &bytes, &n);

	if (r == 0 && n > STATE_MOST)
		r = -E2BIG;
	return r < 0 ? r : state_read(bytes, n, ret, why, sizeof(why));
}

int state_read_memfd(int fd, struct state **ret, char *why, size_t size)
{
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	int r = memfd_map(fd, STATE_MOST, &view);

	*why = '\0';
	if (r < 0)
		return words_fail(r, why, size, "The captured session cannot be read: %s.", memfd_error(r));
	return state_read(view.data, view.size, ret, why, size);
}

int state_memfd(const struct state *s, int *ret)
{
	return memfd_new("session", s->bytes, s->length, ret);
}

struct state *state_free(struct state *s)
{
	if (s)
		arena_free(s->arena);
	return NULL;
}

void state_freep(struct state **s)
{
	*s = state_free(*s);
}

static int part(const struct cbor *screen, const char *key, int most)
{
	int64_t n = cbor_get_int(screen, key, 0);

	return n > 0 && n <= most ? (int)n : 0;
}

void state_environment(const struct state *s, struct environment *ret)
{
	const struct cbor *e = cbor_get(s->root, "environment"), *screen = cbor_get(e, "screen");
	bool own = part(screen, "width", 7680) > 0; /* else what it was signed in with is all that is known */

	*ret = (struct environment){ .user_agent = cbor_get_utf8(s->arena, e, "user_agent"),
		.agent = cbor_get_utf8(s->arena, e, "agent"),
		.languages = cbor_get_utf8(s->arena, e, "languages"),
		.time_zone = cbor_get_utf8(s->arena, e, "time_zone"),
		.locale = cbor_get_utf8(s->arena, e, "locale"),
		.width = own ? PAGE_WIDTH : (int)cbor_get_int(e, "width", PAGE_WIDTH),
		.height = own ? PAGE_HEIGHT : (int)cbor_get_int(e, "height", PAGE_HEIGHT),
		.screen = { part(screen, "width", 7680), part(screen, "height", 4320), part(screen, "color_depth", 48) } };
}

const struct cbor *state_root(const struct state *s)
{
	return s->root;
}

const struct cbor *state_cookies(const struct state *s)
{
	return cbor_get(s->root, "cookies");
}

size_t state_cookie_count(const struct state *s)
{
	return s->cookie_count;
}

const struct state_cookie *state_cookie_at(const struct state *s, size_t i)
{
	return &s->cookies[i];
}

size_t state_area_count(const struct state *s)
{
	return s->area_count;
}

const struct area *state_area(const struct state *s, size_t i)
{
	return &s->areas[i];
}

static void add_texts(const struct state *s, const char *key, char *out, size_t size)
{
	for (const struct cbor *v = cbor_first(cbor_get(s->root, key)); v; v = cbor_next(v)) {
		const char *text = cbor_text_utf8(s->arena, v);
		if (text)
			words_add(out, size, "%s%s", *out ? "; " : "", text);
	}
}

static bool end_texts(char *out, size_t size)
{
	if (*out)
		words_add(out, size, "%s", ".");
	return *out != '\0';
}

bool state_left_out(const struct state *s, char *out, size_t size)
{
	*out = '\0';
	add_texts(s, "not_portable", out, size);
	add_texts(s, "missed", out, size);
	return end_texts(out, size);
}

bool state_not_portable(const struct state *s, char *out, size_t size)
{
	*out = '\0';
	add_texts(s, "not_portable", out, size);
	return end_texts(out, size);
}

const struct cbor *state_not_portable_list(const struct state *s)
{
	return cbor_get(s->root, "not_portable");
}

const char *state_fleeting_cookie(const struct state *s, int within_s, int *ret_s)
{
	double now = (double)cbor_get_int(s->root, "captured_at_ms", 0) / 1000;

	for (size_t i = 0; i < s->cookie_count; i++) {
		double left = s->cookies[i].expires - now;
		if (left < 0 || left > within_s)
			continue;
		*ret_s = (int)left;
		return s->cookies[i].name;
	}
	return NULL;
}

static bool same_bytes(const struct cbor *a, const struct cbor *b)
{
	size_t na = 0, nb = 0;
	const uint8_t *pa = a ? cbor_raw(a, &na) : NULL, *pb = b ? cbor_raw(b, &nb) : NULL;

	return na == nb && (na == 0 || memcmp(pa, pb, na) == 0);
}

bool state_has_cookie(const struct state *s, const struct state_cookie *c)
{
	for (size_t i = 0; i < s->cookie_count; i++)
		if (state_cookie_equal(&s->cookies[i], c))
			return true;
	return false;
}

/* Chromium lists cookies in no promised order. */
static bool same_cookies(const struct state *a, const struct state *b)
{
	if (a->cookie_count != b->cookie_count)
		return false;
	for (size_t i = 0; i < a->cookie_count; i++)
		if (!state_has_cookie(b, &a->cookies[i]))
			return false;
	return true;
}

static bool same_area(const struct area *a, const struct area *b)
{
	return strcmp(a->key, b->key) == 0 && same_bytes(a->local, b->local) &&
		same_bytes(a->session, b->session) && same_bytes(a->databases, b->databases) &&
		same_bytes(a->caches, b->caches);
}

bool state_equal(const struct state *a, const struct state *b)
{
	if (a->area_count != b->area_count || !same_cookies(a, b))
		return false;
	for (size_t i = 0; i < a->area_count; i++)
		if (!same_area(&a->areas[i], &b->areas[i]))
			return false;
	return true;
}

static bool digest_of(const struct cbor *v, uint8_t digest[32])
{
	size_t n;
	const uint8_t *p = v ? cbor_raw(v, &n) : NULL;

	if (!p)
		return false;
	SHA256(p, n, digest);
	return true;
}

bool state_item_digest(const struct state *s, bool session, const char *origin, const char *key, uint8_t digest[32])
{
	for (size_t i = 0; i < s->area_count; i++) {
		const struct area *a = &s->areas[i];
		if (strcmp(a->chain[a->depth - 1], origin) != 0)
			continue;
		for (const struct cbor *pair = cbor_first(session ? a->session : a->local); pair; pair = cbor_next(pair))
			if (cbor_text_is(cbor_at(pair, 0), key))
				return digest_of(cbor_at(pair, 1), digest);
	}
	return false;
}
