#include "proto/scan.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "common/utf.h"
#include "proto/json.h"

typedef signed char bytes16 __attribute__((vector_size(16)));

static bool scan_fail(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = s->p < s->end ? why : "The text ends too early.";
	return false;
}

static bool scan_malformed(struct scan *s)
{
	return scan_fail(s, "The text is not well-formed JSON.");
}

/* Signed bytes: what is below a space is a control character or not ASCII. Sixteen at a time, on any processor. */
static inline bytes16 special(const char *p)
{
	bytes16 v;

	memcpy(&v, p, sizeof(v));
	return (v < ' ') | (v == '"') | (v == '\\');
}

static inline bool any(bytes16 v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
	return half[0] | half[1];
}

size_t scan_plain(const char *p, size_t n)
{
	size_t i = 0;

	while (i + 64 <= n && !any(special(p + i) | special(p + i + 16) | special(p + i + 32) | special(p + i + 48)))
		i += 64;
	while (i + 16 <= n && !any(special(p + i)))
		i += 16;
	while (i < n && (signed char)p[i] >= ' ' && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

struct scan scan_begin(char *text, size_t n)
{
	return (struct scan){ .p = text, .end = n ? text + n : text }; /* NULL + 0 is not defined */
}

static void scan_skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

char scan_peek(struct scan *s)
{
	if (s->why)
		return 0;
	scan_skip_space(s);
	return s->p < s->end ? *s->p : 0;
}

static bool scan_take(struct scan *s, char c)
{
	if (s->why || scan_peek(s) != c || s->p == s->end)
		return scan_malformed(s);
	s->p++;
	return true;
}

bool scan_open(struct scan *s, char open)
{
	if (!scan_take(s, open))
		return false;
	if (++s->depth > JSON_MOST_DEPTH)
		return scan_fail(s, "The text is nested deeper than 32 levels.");
	s->first = true;
	return true;
}

bool scan_more(struct scan *s, char close)
{
	bool first = s->first;

	s->first = false;
	if (scan_peek(s) == close) {
		s->p++;
		s->depth--;
		return false;
	}
	return first ? !s->why : scan_take(s, ',');
}

static bool hex4(struct scan *s, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++, s->p++) {
		int digit = s->p < s->end ? hex_digit(*s->p) : -1;
		if (digit < 0)
			return scan_malformed(s);
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return true;
}

/* After "\u": one code point, for which a surrogate needs its partner. */
static bool take_code_point(struct scan *s, uint32_t *ret)
{
	uint32_t high, low;

	if (!hex4(s, &high))
		return false;
	if (high == 0)
		return scan_fail(s, "A text holds the character NUL.");
	*ret = high;
	if (high < 0xd800 || high > 0xdfff)
		return true;
	if (high > 0xdbff || s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
		return scan_malformed(s);
	s->p += 2;
	if (!hex4(s, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return scan_malformed(s);
	*ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* At a backslash. */
static bool take_escape(struct scan *s, uint32_t *ret)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *at;

	s->p++;
	if (s->p == s->end || !*s->p)
		return scan_malformed(s);
	if (*s->p == 'u') {
		s->p++;
		return take_code_point(s, ret);
	}
	at = strchr(names, *s->p);
	if (!at)
		return scan_malformed(s);
	s->p++;
	*ret = (uint32_t)meant[at - names];
	return true;
}

static void scan_put(char **to, const char *from, size_t n)
{
	if (!*to)
		return;
	if (*to != from)
		memmove(*to, from, n);
	*to += n;
}

static bool walk_escape(struct scan *s, char **to)
{
	uint32_t c;
	char bytes[4];

	if (!take_escape(s, &c))
		return false;
	scan_put(to, bytes, utf8_put(bytes, c));
	return true;
}

static bool walk_wide(struct scan *s, char **to)
{
	size_t n = utf8_length(s->p, (size_t)(s->end - s->p));

	if (!n) {
		s->why = "The text is not valid UTF-8.";
		return false;
	}
	scan_put(to, s->p, n);
	s->p += n;
	return true;
}

/*
 * Goes through a text up to its closing quote. With to, what it means is put there, which is never longer than what
 * stands there. Returns where the meaning ended, or NULL.
 */
static char *walk_text(struct scan *s, char *to)
{
	for (;;) {
		size_t n = scan_plain(s->p, (size_t)(s->end - s->p));
		scan_put(&to, s->p, n);
		s->p += n;
		char c = s->p < s->end ? *s->p : 0;
		if (c == '"')
			return to ? to : s->p;
		if (!(c == '\\' ? walk_escape(s, &to) : c & 0x80 ? walk_wide(s, &to) : scan_malformed(s)))
			return NULL;
	}
}

bool scan_text(struct scan *s, char **ret)
{
	char *from, *to;

	if (!scan_take(s, '"'))
		return false;
	from = s->p;
	to = walk_text(s, from);
	if (!to)
		return false;
	s->p++;
	*to = '\0';
	*ret = from;
	return true;
}

static bool take_digits(struct scan *s)
{
	char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > from || scan_malformed(s);
}

/* Goes past what the grammar of numbers allows; *ret_real if there is a fraction or an exponent. */
static bool walk_number(struct scan *s, bool *ret_real)
{
	char *from;

	*ret_real = false;
	if (s->p < s->end && *s->p == '-')
		s->p++;
	from = s->p;
	if (!take_digits(s))
		return false;
	if (*from == '0' && s->p > from + 1) {
		s->p = from;
		return scan_malformed(s);
	}
	if (s->p < s->end && *s->p == '.') {
		*ret_real = true;
		s->p++;
		if (!take_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		*ret_real = true;
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		return take_digits(s);
	}
	return true;
}

/* A point is a point whatever the locale says. */
static double to_double(const char *p)
{
	static locale_t plain;

	if (!plain)
		plain = newlocale(LC_ALL_MASK, "C", NULL);
	return strtod_l(p, NULL, plain);
}

bool scan_number(struct scan *s, struct scan_number *ret)
{
	char *from;

	if (!scan_peek(s))
		return scan_malformed(s);
	from = s->p;
	if (!walk_number(s, &ret->real))
		return false;
	errno = 0;
	if (ret->real)
		ret->value = to_double(from);
	else
		ret->whole = strtoll(from, NULL, 10);
	if (ret->real ? isinf(ret->value) : errno == ERANGE) {
		s->why = "A number is too large.";
		return false;
	}
	return true;
}

static bool take_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->why || (size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return scan_malformed(s);
	s->p += n;
	return true;
}

bool scan_flag(struct scan *s, bool *ret)
{
	*ret = scan_peek(s) == 't';
	return take_word(s, *ret ? "true" : "false");
}

bool scan_name(struct scan *s, char **ret)
{
	return scan_text(s, ret) && scan_take(s, ':');
}

static bool skip_text(struct scan *s)
{
	if (!scan_take(s, '"') || !walk_text(s, NULL))
		return false;
	s->p++;
	return true;
}

/* Recursion ends at the depth that scan_open() allows. */
static bool skip_all(struct scan *s, char open)
{
	if (!scan_open(s, open))
		return false;
	while (scan_more(s, open == '{' ? '}' : ']')) {
		if (open == '{' && !(skip_text(s) && scan_take(s, ':')))
			return false;
		if (!scan_skip(s, NULL))
			return false;
	}
	return !s->why;
}

bool scan_skip(struct scan *s, struct raw_json *ret)
{
	struct scan_number number;
	char c = scan_peek(s), *from = s->p;
	bool flag, ok;

	switch (c) {
	case '{':
	case '[': ok = skip_all(s, c); break;
	case '"': ok = skip_text(s); break;
	case 't':
	case 'f': ok = scan_flag(s, &flag); break;
	case 'n': ok = take_word(s, "null"); break;
	default: ok = scan_number(s, &number); break;
	}
	if (ok && ret)
		*ret = (struct raw_json){ from, (size_t)(s->p - from) };
	return ok;
}

bool scan_end(struct scan *s)
{
	if (s->why)
		return false;
	scan_skip_space(s);
	if (s->p < s->end)
		s->why = "Something follows after the object.";
	return s->p == s->end;
}
