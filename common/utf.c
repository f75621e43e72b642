#include "common/utf.h"

#include <string.h>

/* The character at p, which has so many bytes; 0, and nothing read, if there is none (RFC 3629). */
static size_t utf8_read(const uint8_t *p, size_t n, uint32_t *ret)
{
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	uint32_t c = p[0] & first_bits[length];

	if (!length || n < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[length] || c > 0x10ffff || utf16_is_surrogate(c))
		return 0;
	*ret = c;
	return length;
}

size_t utf8_length(const char *text, size_t n)
{
	uint32_t c;

	return utf8_read((const uint8_t *)text, n, &c);
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
			len = utf8_length((const char *)p, n);
		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

uint32_t utf8_next(const char *text, size_t n, size_t *at)
{
	const uint8_t *p = (const uint8_t *)text + *at;
	uint32_t c = *p;
	size_t length = utf8_read(p, n - *at, &c);

	*at += length ? length : 1;
	return c;
}

size_t utf8_put(char *out, uint32_t c)
{
	static const uint8_t first_marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(first_marks[n] | c);
	return n;
}

bool utf_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

bool utf_turns_direction(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
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
