#include "common/words.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/utf.h"

#define ELLIPSIS      "\xe2\x80\xa6"
#define ELLIPSIS_SIZE 3

size_t words_fit(const char *text, size_t n, size_t most)
{
	size_t end = n < most ? n : most;

	if (end == n)
		return n;
	for (int back = 0; back < 3 && end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80; back++)
		end--;
	return end;
}

/* Of a text. Brackets, quotes, bars and backslashes may stand in what browsers make of an address (WHATWG URL, 1.3). */
static bool ends_address(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '<' || c == '>';
}

/* What stands before the host of an address, given what stands behind its "://"; all of it where that is not known. */
static size_t user_length(const char *text, size_t n, bool cut)
{
	size_t user = 0, i = 0;

	for (; i < n && !ends_address(text[i]) && !strchr("/?#", text[i]); i++)
		if (text[i] == '@')
			user = i + 1;
	return cut && i == n ? n : user;
}

/* From the ? or # to the end of the address. Marks at its end are not the address's but the sentence's. */
static size_t secret_length(const char *text, size_t n)
{
	size_t end = 0;

	if (*text != '?' && *text != '#')
		return 0;
	while (end < n && !ends_address(text[end]))
		end++;
	while (end > 0 && strchr("?#!.,:;)]}'", text[end - 1]))
		end--;
	return end;
}

size_t words_hide_secrets(char *text, size_t n, bool cut)
{
	size_t at = 0, to = 0;
	bool within = false; /* an address */

	while (at < n) {
		if (n - at >= 3 && memcmp(text + at, "://", 3) == 0) {
			within = true;
			memmove(text + to, "://", 3);
			to += 3;
			at += 3;
			at += user_length(text + at, n - at, cut);
			continue;
		}
		if (within)
			at += secret_length(text + at, n - at);
		if (at == n)
			break;
		within = within && !ends_address(text[at]);
		text[to++] = text[at++];
	}
	text[to] = '\0';
	return to;
}

/* In place, for nothing grows by it. */
static size_t clean(char *text, size_t n, bool lines)
{
	size_t at = 0, to = 0;

	while (at < n) {
		size_t from = at;
		uint32_t c = utf8_next(text, n, &at);

		if (at - from == 1 && c >= 0x80)
			text[to++] = '?';
		else if (lines && (c == '\n' || c == '\t'))
			text[to++] = (char)c;
		else if (utf_is_control(c))
			text[to++] = ' ';
		else if (utf_turns_direction(c))
			to += utf8_put(text + to, 0xfffd);
		else {
			memmove(text + to, text + from, at - from);
			to += at - from;
		}
	}
	text[to] = '\0';
	return to;
}

size_t words_clean_lines(char *text, size_t n)
{
	return clean(text, n, true);
}

/* Without the beginning of a last character whose end is missing. */
static size_t whole_characters(char *out, size_t n)
{
	size_t last = words_fit(out, n, n ? n - 1 : 0);

	if (n > 0 && (unsigned char)out[last] >= 0xc0 && !utf8_length(out + last, n - last))
		n = last;
	out[n] = '\0';
	return n;
}

/* Room is made for the mark that something is missing, where there is any. */
static size_t end_cut(char *out, size_t size, size_t n)
{
	size_t room = size - 1;

	if (room < 2 * ELLIPSIS_SIZE)
		return n;
	n = words_fit(out, n, room - ELLIPSIS_SIZE);
	memcpy(out + n, ELLIPSIS, ELLIPSIS_SIZE + 1);
	return n + ELLIPSIS_SIZE;
}

/* out holds what it can of wanted bytes. */
static size_t finish(char *out, size_t size, size_t wanted)
{
	bool cut = wanted >= size;
	size_t n = cut ? whole_characters(out, size - 1) : wanted;

	n = clean(out, words_hide_secrets(out, n, cut), false);
	return cut ? end_cut(out, size, n) : n;
}

size_t words_set_v(char *out, size_t size, const char *format, va_list args)
{
	int wanted = vsnprintf(out, size, format, args);

	if (wanted < 0) {
		*out = '\0';
		return 0;
	}
	return finish(out, size, (size_t)wanted);
}

size_t words_set(char *out, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = words_set_v(out, size, format, args);
	va_end(args);
	return n;
}

int words_fail(int error, char *out, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	words_set_v(out, size, format, args);
	va_end(args);
	return error;
}

size_t words_add(char *out, size_t size, const char *format, ...)
{
	size_t n = strlen(out);
	va_list args;

	va_start(args, format);
	n += words_set_v(out + n, size - n, format, args);
	va_end(args);
	return n;
}

char *words_new(struct arena *a, size_t most, const char *format, ...)
{
	va_list args;
	char *text;
	size_t n;

	va_start(args, format);
	text = arena_vprintf(a, format, args);
	va_end(args);
	n = strlen(text);
	finish(text, n < most ? n + 1 : most + 1, n);
	return text;
}

const char *words_brief(char *out, size_t size, const char *text)
{
	words_set(out, size, "%s", text ? text : "");
	return out;
}

static bool fits(char *out, size_t size, const char *format, va_list args)
{
	int wanted = vsnprintf(out, size, format, args);

	return wanted >= 0 && (size_t)wanted < size;
}

bool exact_set(char *out, size_t size, const char *format, ...)
{
	va_list args;
	bool whole;

	va_start(args, format);
	whole = fits(out, size, format, args);
	va_end(args);
	if (!whole)
		*out = '\0';
	return whole;
}

void exact_must(char *out, size_t size, const char *format, ...)
{
	va_list args;
	bool whole;

	va_start(args, format);
	whole = fits(out, size, format, args);
	va_end(args);
	if (!whole)
		abort();
}

char *exact_new(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	return text;
}
