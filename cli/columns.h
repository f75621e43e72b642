/* Text on a screen: how many columns it takes, and what of it fits into so many. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Where something is printed, and how wide lines may be; 0: as long as they are, which is so in a pipe. */
struct page {
	FILE *out;
	size_t columns;
};

/* The page of standard output: as wide as its terminal, if it is one and wide is false. */
struct page page_stdout(int wide);

/* Columns of a text without control characters (UTF-8; East Asian characters take two). */
size_t columns_of(const char *text);

/* Bytes of text that fit into so many columns, at least one character. */
size_t columns_fit(const char *text, size_t columns);

/* Prints text and blanks up to that column. */
void columns_pad(FILE *out, const char *text, size_t to);

/* Prints text and a line end: broken between words where the page ends, and further lines begin at column indent. */
void columns_wrap(const struct page *page, size_t indent, const char *text);
