#include "common/cbor.h"

#include <stdlib.h>
#include <string.h>

#include "common/cbor_inside.h"
#include "common/utf.h"

#define REPLACEMENT 0xfffdu

/* Shorter keys first: cheaper than the alphabet, and as good for finding. */
int cbor_key_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

bool cbor_is(const struct cbor *v, enum cbor_type type)
{
	return v && v->type == type;
}

bool cbor_int(const struct cbor *v, int64_t *ret)
{
	const double exact = 9007199254740992.0; /* 2^53 */

	if (cbor_is(v, CBOR_INT)) {
		*ret = v->i;
		return true;
	}
	if (!cbor_is(v, CBOR_DOUBLE) || !(v->d >= -exact && v->d <= exact))
		return false;
	if ((double)(int64_t)v->d != v->d)
		return false;
	*ret = (int64_t)v->d;
	return true;
}

bool cbor_double(const struct cbor *v, double *ret)
{
	if (!cbor_is(v, CBOR_DOUBLE) && !cbor_is(v, CBOR_INT))
		return false;
	*ret = v->type == CBOR_INT ? (double)v->i : v->d;
	return true;
}

bool cbor_bool(const struct cbor *v, bool *ret)
{
	if (!cbor_is(v, CBOR_BOOL))
		return false;
	*ret = v->b;
	return true;
}

const uint8_t *cbor_bytes(const struct cbor *v, size_t *ret_len)
{
	if (!cbor_is(v, CBOR_BYTES))
		return NULL;
	*ret_len = v->str.n;
	return v->str.p;
}

static bool utf16_is(const uint8_t *p, size_t n, const char *s, size_t len)
{
	for (size_t at = 0; at < n;) {
		uint32_t c = utf16_next(p, n, &at);
		char out[4];
		size_t k;

		if (c == UTF16_HALF || utf16_is_surrogate(c))
			return false;
		k = utf8_put(out, c);
		if (k > len || memcmp(out, s, k) != 0)
			return false;
		s += k;
		len -= k;
	}
	return len == 0;
}

bool cbor_text_is(const struct cbor *v, const char *s)
{
	size_t len = strlen(s);

	if (cbor_is(v, CBOR_TEXT))
		return v->str.n == len && memcmp(v->str.p, s, len) == 0;
	return cbor_is(v, CBOR_BYTES) && !v->binary && utf16_is(v->str.p, v->str.n, s, len);
}

char *cbor_utf16_text(struct arena *arena, const uint8_t *p, size_t n, bool exact, size_t *ret_len)
{
	char *out = arena_alloc(arena, n / 2 * 3 + 4), *end = out;

	for (size_t at = 0; at < n;) {
		uint32_t c = utf16_next(p, n, &at);
		bool lost = c == UTF16_HALF || utf16_is_surrogate(c);

		if (lost && exact)
			return NULL;
		end += utf8_put(end, lost || (c == 0 && !exact) ? REPLACEMENT : c);
	}
	*ret_len = (size_t)(end - out);
	return out;
}

static char *text_display(struct arena *arena, const uint8_t *p, size_t n)
{
	size_t nuls = 0;
	char *out, *end;

	for (size_t i = 0; i < n; i++)
		nuls += p[i] == 0;
	out = end = arena_alloc(arena, n + 2 * nuls + 1);
	for (size_t i = 0; i < n; i++) {
		if (p[i] == 0)
			end += utf8_put(end, REPLACEMENT);
		else
			*end++ = (char)p[i];
	}
	return out;
}

char *cbor_text_utf8(struct arena *arena, const struct cbor *v)
{
	size_t n;

	if (cbor_is(v, CBOR_TEXT))
		return text_display(arena, v->str.p, v->str.n);
	if (cbor_is(v, CBOR_BYTES) && !v->binary)
		return cbor_utf16_text(arena, v->str.p, v->str.n, false, &n);
	return NULL;
}

static bool is_list(const struct cbor *v)
{
	return cbor_is(v, CBOR_ARRAY) || cbor_is(v, CBOR_MAP);
}

size_t cbor_count(const struct cbor *v)
{
	return is_list(v) ? v->list.n : 0;
}

const struct cbor *cbor_at(const struct cbor *array, size_t i)
{
	return cbor_is(array, CBOR_ARRAY) && i < array->list.n ? array->list.index[i] : NULL;
}

const struct cbor *cbor_get(const struct cbor *map, const char *key)
{
	size_t len = strlen(key), lo = 0, hi = cbor_is(map, CBOR_MAP) ? map->list.n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct cbor *v = map->list.index[mid];
		int order = cbor_key_compare(key, len, v->key, v->key_len);

		if (order == 0)
			return v;
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct cbor *cbor_first(const struct cbor *v)
{
	return is_list(v) ? v->list.first : NULL;
}

const struct cbor *cbor_next(const struct cbor *v)
{
	return v ? v->next : NULL;
}

const char *cbor_key(const struct cbor *v, size_t *ret_len)
{
	if (!v || !v->key)
		return NULL;
	*ret_len = v->key_len;
	return v->key;
}

int64_t cbor_get_int(const struct cbor *map, const char *key, int64_t otherwise)
{
	cbor_int(cbor_get(map, key), &otherwise);
	return otherwise;
}

double cbor_get_double(const struct cbor *map, const char *key, double otherwise)
{
	cbor_double(cbor_get(map, key), &otherwise);
	return otherwise;
}

bool cbor_get_bool(const struct cbor *map, const char *key, bool otherwise)
{
	cbor_bool(cbor_get(map, key), &otherwise);
	return otherwise;
}

char *cbor_get_utf8(struct arena *arena, const struct cbor *map, const char *key)
{
	return cbor_text_utf8(arena, cbor_get(map, key));
}

const uint8_t *cbor_raw(const struct cbor *v, size_t *ret_len)
{
	if (!v)
		return NULL;
	*ret_len = v->raw_len;
	return v->raw;
}
