/*
 * Text put together: the one way in this house.
 *
 * What a page, a site or a peer says is text that they chose: of any length, in any script, with control characters or
 * marks that turn the direction of what follows. A sentence that quotes it goes into rows of PostgreSQL, into JSON, to
 * a terminal and into the journal, so it is made fit for all of them here, where it is put together, and nowhere else:
 *
 *	- it is UTF-8 (RFC 3629) and never ends inside a character; what did not fit is shown as an ellipsis;
 *	- what is not UTF-8 is '?', a control character (C0, DEL, C1, line and paragraph separators) a space;
 *	- an explicit change of direction (Unicode, UAX #9: LRE to RLO, LRI to PDI) is U+FFFD;
 *	- an address (RFC 3986: scheme://...) has neither user, query nor fragment, which hold codes, tokens and passwords.
 *
 * Sizes are in bytes and count the NUL; 0 is not allowed. No argument may lie within out.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Writes words; returns their length, which is less than size. */
size_t words_set(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t words_set_v(char *out, size_t size, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* The same for a sentence that says what is wrong; returns error. */
int words_fail(int error, char *out, size_t size, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Writes them behind what stands in out already. */
size_t words_add(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same in an arena, at most most bytes without the NUL. */
char *words_new(struct arena *a, size_t most, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * A piece of a sentence that may be long by itself, at most most_ bytes of it, so that what stands behind it is read,
 * too. Lives as long as the block that it stands in.
 */
#define BRIEF(most_, text_) words_brief((char[(most_) + 1]){ 0 }, (most_) + 1, text_)
const char *words_brief(char *out, size_t size, const char *text);

/* As long as most bytes of text may be without ending inside a character; n is text's length, most may be more. */
size_t words_fit(const char *text, size_t n, size_t most);

/*
 * Takes user, query and fragment out of every address in text, in place; returns what is left of n bytes. For words that
 * are put together elsewhere: a line of the log. cut: more stood behind it, so what is not known to be a host is not shown.
 */
size_t words_hide_secrets(char *text, size_t n, bool cut);

/*
 * Makes text of several lines fit to be shown: line ends and tabs stay, other controls and changes of direction do not,
 * addresses stay whole. In place; returns what is left of n bytes.
 */
size_t words_clean_lines(char *text, size_t n);

/*
 * What is no sentence but a name, a path, a number: all of it as it is, or false and "" when it does not fit.
 */
bool exact_set(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same where what is put together is of our own making, so that it always fits: it aborts if not. */
void exact_must(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* All of it in memory of its own, for free(); aborts when that is exhausted. */
char *exact_new(const char *format, ...) __attribute__((format(printf, 1, 2)));
