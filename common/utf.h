/* UTF-8 (RFC 3629) and UTF-16LE as bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What utf16_next() gives for the odd last byte of a string. */
#define UTF16_HALF 0x110000u

/* Shortest forms only, no surrogates, nothing above U+10FFFF; NUL is a character like others. */
bool utf8_valid(const void *text, size_t n);

/* The bytes of the character at text; 0 if there is none, or its end is not among the n bytes, which are one or more. */
size_t utf8_length(const char *text, size_t n);

/* Writes the 1 to 4 bytes of code point c (below 0x110000) and returns their number. */
size_t utf8_put(char *out, uint32_t c);

/*
 * The code point at *at, which must be below n, and moves *at behind it; a byte that is not UTF-8 comes as itself.
 */
uint32_t utf8_next(const char *text, size_t n, size_t *at);

/*
 * The code point at *at, which must be below n, and moves *at behind it. A surrogate without its
 * partner comes as itself, an odd last byte as UTF16_HALF.
 */
uint32_t utf16_next(const uint8_t *p, size_t n, size_t *at);
bool utf16_is_surrogate(uint32_t c);

/* C0, DEL, C1, line and paragraph separators. */
bool utf_is_control(uint32_t c);

/* An explicit change of direction (Unicode, UAX #9: LRE to RLO, LRI to PDI). */
bool utf_turns_direction(uint32_t c);
