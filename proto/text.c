#include "proto/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/words.h"
#include "proto/scan.h"

#define FIRST 1024
#define KEPT  (128 * 1024)

static void text_grow(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : FIRST;
	char *grown;

	while (size - t->n < more)
		size *= 2;
	grown = must(malloc(size));
	if (t->n)
		memcpy(grown, t->p, t->n);
	if (t->p)
		explicit_bzero(t->p, t->n);
	free(t->p);
	t->p = grown;
	t->size = size;
}

void text_put(struct text *t, const char *p, size_t n)
{
	if (n == 0)
		return;
	if (t->size - t->n < n)
		text_grow(t, n);
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

void text_puts(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

static void put_escape(struct text *t, unsigned char c)
{
	static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = strchr(names, c);
	char code[8] = { '\\' };

	if (at && c)
		code[1] = letters[at - names];
	else
		exact_must(code, sizeof(code), "\\u%04x", c);
	text_puts(t, code);
}

bool text_string(struct text *t, const char *s, size_t n)
{
	const char *end = s + n;

	text_put(t, "\"", 1);
	while (s < end) {
		size_t run = scan_plain(s, (size_t)(end - s)), wide;
		text_put(t, s, run);
		s += run;
		if (s == end)
			break;
		if (!((unsigned char)*s & 0x80)) {
			put_escape(t, (unsigned char)*s++);
			continue;
		}
		wide = scan_character(s, end);
		if (!wide)
			return false;
		text_put(t, s, wide);
		s += wide;
	}
	text_put(t, "\"", 1);
	return true;
}

void text_whole(struct text *t, int64_t n)
{
	char digits[24], *end = digits + sizeof(digits), *p = end;
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	do {
		*--p = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (n < 0)
		*--p = '-';
	text_put(t, p, (size_t)(end - p));
}

/* A point whatever the locale says, and always something that tells it from a whole number. */
void text_real(struct text *t, double n)
{
	char digits[40];

	exact_must(digits, sizeof(digits), "%.17g", n);
	for (char *p = digits; *p; p++)
		if (!strchr("0123456789+-e", *p))
			*p = '.';
	text_puts(t, digits);
	if (!strpbrk(digits, ".e"))
		text_puts(t, ".0");
}

static int put_json(const char *p, size_t n, void *arg)
{
	text_put(arg, p, n);
	return 0;
}

void text_json(struct text *t, const json_t *value)
{
	if (json_dump_callback(value, put_json, t, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		abort();
}

void text_reset(struct text *t)
{
	if (t->size > KEPT) {
		text_free(t);
		return;
	}
	if (t->n)
		explicit_bzero(t->p, t->n);
	t->n = 0;
}

void text_free(struct text *t)
{
	if (t->n)
		explicit_bzero(t->p, t->n);
	free(t->p);
	*t = (struct text){ 0 };
}
