#include "proto/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/hex.h"
#include "common/must.h"
#include "common/span.h"
#include "common/words.h"

#define MOST_PAIRS 64

/* The decoded text, to be freed, or NULL if an escape is broken or a NUL came of one. */
static char *decode(const char *text, size_t n, bool plus, size_t *ret_n)
{
	char *out = must(malloc(n + 1)), *o = out;

	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)text[i];
		if (c == '%') {
			int high = i + 2 < n ? hex_digit(text[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(text[i + 2]);
			c = high * 16 + low;
			if (high < 0 || low < 0 || c == 0) {
				free(out);
				return NULL;
			}
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		*o++ = (char)c;
	}
	*o = '\0';
	*ret_n = (size_t)(o - out);
	return out;
}

/* A new value, or NULL if the text is none of this kind; the rest is for fields_decode() to check. */
static json_t *query_typed(const struct field *f, const char *text, size_t n)
{
	char *end;

	errno = 0;
	switch (f->kind) {
	case FIELD_INT: {
		long long number = strtoll(text, &end, 10);
		return n && !errno && !*end && strchr("-0123456789", *text) ? json_integer(number) : NULL;
	}
	case FIELD_REAL: {
		double number = strtod(text, &end);
		return n && !errno && !*end && strchr("-0123456789", *text) ? json_real(number) : NULL;
	}
	case FIELD_BOOL:
		if (strcmp(text, "true") == 0)
			return json_true();
		return strcmp(text, "false") == 0 ? json_false() : NULL;
	case FIELD_STR:
	case FIELD_ENUM:
	case FIELD_STRS: return json_stringn(text, n); /* NULL if it is not UTF-8 */
	default: return NULL;
	}
}

static int query_refuse(struct refusal *why, const char *name, const char *sentence)
{
	refusal_set(why, ERR_invalid, name, sentence, name);
	return -EINVAL;
}

static const char *kind_sentence(const struct field *f)
{
	switch (f->kind) {
	case FIELD_INT: return "%s must be a whole number.";
	case FIELD_REAL: return "%s must be a number.";
	case FIELD_BOOL: return "%s must be true or false.";
	case FIELD_STR:
	case FIELD_ENUM:
	case FIELD_STRS: return "%s must be UTF-8 text, percent-encoded.";
	default: return "%s may not stand in an address, which gets written down; send it in the body.";
	}
}

static int query_put(json_t *params, const struct field *f, json_t *value, struct refusal *why)
{
	json_t *there = json_object_get(params, f->name);

	if (there && f->kind != FIELD_STRS) {
		json_decref(value);
		return query_refuse(why, f->name, "%s is given twice; give it once.");
	}
	if (f->kind != FIELD_STRS)
		return json_object_set_new(params, f->name, value);
	if (!there) {
		there = json_array();
		json_object_set_new(params, f->name, there);
	}
	return json_array_append_new(there, value);
}

int query_add(const struct field *rows, json_t *params, const char *name, const char *text, size_t n, bool plus,
	struct refusal *why)
{
	const struct field *f = field_named(rows, name);
	CLEANUP(freep) char *decoded = NULL;
	json_t *value = NULL;
	size_t length = 0;

	if (!f) {
		refusal_set(why, ERR_invalid, name, "There is no parameter \"%s\" here.", BRIEF(64, name));
		return -EINVAL;
	}
	decoded = decode(text, n, plus, &length);
	if (decoded)
		value = query_typed(f, decoded, length);
	if (!value)
		return query_refuse(why, f->name, kind_sentence(f));
	return query_put(params, f, value, why);
}

/* Without "=", the value is empty. */
static int add_pair(const struct field *rows, json_t *params, struct span pair, struct refusal *why)
{
	struct span key, value = pair;
	size_t length;

	if (!span_cut(&value, '=', &key)) {
		key = pair;
		value = span_of("");
	}
	CLEANUP(freep) char *name = decode(key.p, key.n, true, &length);
	if (!name)
		return query_refuse(why, "", "A name in the address is not UTF-8 text, percent-encoded.%s");
	return query_add(rows, params, name, value.p, value.n, true, why);
}

int query_read(const struct field *rows, json_t *params, const char *query, struct refusal *why)
{
	struct span rest = span_of(query), pair;
	size_t pairs = 0;
	int r = 0;

	while (r == 0 && span_next(&rest, "&", &pair)) {
		if (++pairs > MOST_PAIRS)
			return query_refuse(why, "", "There are too many parameters in the address.%s");
		if (pair.n)
			r = add_pair(rows, params, pair, why);
	}
	return r;
}

int query_merge(json_t *params, json_t *body, struct refusal *why)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value) {
		if (json_object_get(params, name))
			return query_refuse(why, name, "%s is given both in the address and in the body; give it once.");
		json_object_set(params, name, value);
	}
	return 0;
}
