#include "proto/text.h"

#include <inttypes.h>
#include <string.h>

#include "common/utf.h"
#include "common/words.h"
#include "proto/scan.h"

static void put_escape(struct bytes *t, unsigned char c)
{
	static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = strchr(names, c);
	char code[8] = { '\\' };

	if (at && c)
		code[1] = letters[at - names];
	else
		exact_must(code, sizeof(code), "\\u%04x", c);
	bytes_puts(t, code);
}

bool text_string(struct bytes *t, const char *s, size_t n)
{
	const char *end = s + n;

	bytes_put(t, "\"", 1);
	while (s < end) {
		size_t run = scan_plain(s, (size_t)(end - s)), wide;
		bytes_put(t, s, run);
		s += run;
		if (s == end)
			break;
		if (!((unsigned char)*s & 0x80)) {
			put_escape(t, (unsigned char)*s++);
			continue;
		}
		wide = utf8_length(s, (size_t)(end - s));
		if (!wide)
			return false;
		bytes_put(t, s, wide);
		s += wide;
	}
	bytes_put(t, "\"", 1);
	return true;
}

void text_whole(struct bytes *t, int64_t n)
{
	char digits[24], *end = digits + sizeof(digits), *p = end;
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	do {
		*--p = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (n < 0)
		*--p = '-';
	bytes_put(t, p, (size_t)(end - p));
}

/* A point whatever the locale says, and always something that tells it from a whole number. */
void text_real(struct bytes *t, double n)
{
	char digits[40];

	exact_must(digits, sizeof(digits), "%.17g", n);
	for (char *p = digits; *p; p++)
		if (!strchr("0123456789+-e", *p))
			*p = '.';
	bytes_puts(t, digits);
	if (!strpbrk(digits, ".e"))
		bytes_puts(t, ".0");
}

static int put_json(const char *p, size_t n, void *arg)
{
	bytes_put(arg, p, n);
	return 0;
}

void text_json(struct bytes *t, const json_t *value)
{
	if (json_dump_callback(value, put_json, t, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		abort();
}
