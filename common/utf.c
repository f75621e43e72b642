#include "common/utf.h"

#include <string.h>

/*
 * The length of the UTF-8 sequence at p (RFC 3629: no surrogates, shortest form, up to U+10FFFF),
 * or 0.
 */
static size_t utf8_sequence(const uint8_t *p, size_t n)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (n < len || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static size_t ascii_run(const uint8_t *p, size_t n)
{
	size_t i = 0;
	uint64_t w;

	for (; n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, p + i, sizeof(w));
		if (w & 0x8080808080808080u)
			break;
	}
	return i;
}

bool utf8_valid(const void *text, size_t n)
{
	const uint8_t *p = text;

	while (n > 0) {
		size_t len = ascii_run(p, n);

		if (!len)
			len = utf8_sequence(p, n);
		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

uint32_t utf8_next(const char *text, size_t n, size_t *at)
{
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const uint8_t *p = (const uint8_t *)text + *at;
	size_t length = utf8_sequence(p, n - *at);
	uint32_t c = length ? p[0] & first_bits[length] : p[0];

	for (size_t i = 1; i < length; i++)
		c = c << 6 | (p[i] & 0x3f);
	*at += length ? length : 1;
	return c;
}

size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool utf16_is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

static uint32_t utf16_unit(const uint8_t *p)
{
	return (uint32_t)(p[0] | p[1] << 8);
}

uint32_t utf16_next(const uint8_t *p, size_t n, size_t *at)
{
	uint32_t c, low;

	if (n - *at < 2) {
		*at = n;
		return UTF16_HALF;
	}
	c = utf16_unit(p + *at);
	*at += 2;
	if (c < 0xd800 || c > 0xdbff || n - *at < 2)
		return c;
	low = utf16_unit(p + *at);
	if (low < 0xdc00 || low > 0xdfff)
		return c;
	*at += 2;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}
