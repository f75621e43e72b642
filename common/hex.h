/* Bytes as hexadecimal digits, in small letters; and what a digit means. */
#pragma once

#include <stddef.h>

/* The size that hex_set() needs for n bytes. */
#define HEX_SIZE(n_) (2 * (n_) + 1)

/* Writes the n bytes at bytes to out, which has room for HEX_SIZE(n). */
static inline void hex_set(char *out, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[from[i] >> 4];
		out[2 * i + 1] = digits[from[i] & 15];
	}
	out[2 * n] = '\0';
}

/* What a digit of either case stands for, or -1. */
static inline int hex_digit(char c)
{
	char lower = (char)(c | 0x20);

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
