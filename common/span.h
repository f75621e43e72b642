/*
 * A stretch of bytes within a text that somebody else holds, for what is read piece by piece: the head of an HTTP request, a list
 * of words. It ends with no NUL and lives as long as the text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *p; /* NULL: there is none */
	size_t n;
};

/* All of a text; none for NULL. */
static inline struct span span_of(const char *text)
{
	return (struct span){ text, text ? strlen(text) : 0 };
}

/* Whether it is that word, to the letter. */
bool span_is(struct span s, const char *word);

/* The same where case does not matter (ASCII). */
bool span_names(struct span s, const char *word);

/* Without the blanks (SP and HTAB) at both ends. */
struct span span_trim(struct span s);

/* Up to the first c, which is passed over; false, and nothing taken, if there is none. */
bool span_cut(struct span *rest, char c, struct span *ret);

/*
 * A line without its CRLF, which is passed over. False where the next line ends in a lone LF, or not at all, and for one with a
 * CR or NUL within it, which two readers may take differently (RFC 9112 section 2.2).
 */
bool span_cut_line(struct span *rest, struct span *ret);

/* The next piece of a list, up to one of the separators or the end: "a||b" has three. False once all have been had. */
bool span_next(struct span *rest, const char *separators, struct span *ret);

/* Whether the list has the word, which has none of the separators in it. */
bool span_lists(const char *list, const char *separators, const char *word);

/* Whether it is a name of a header field or a method: token of RFC 9110 section 5.6.2. */
bool span_is_token(struct span s);
