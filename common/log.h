/*
 * The log: one line per decision, to the journal when there is one (its native protocol), else to standard error.
 *
 * common/, proto/ and db/ log at debug only; whoever decides what a failure means says so once. Strings from a peer
 * go through %s like any other: control characters and bytes that are no UTF-8 are escaped on the way out, in the text and
 * in the context. Secrets are never passed here.
 */
#pragma once

#include <stdbool.h>

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 }; /* syslog's */

/* What the lines of a call carry beside their text. Any may be NULL. Borrowed while set on the fiber. */
struct log_context {
	const char *connection, *call, *method, *user;
};

/* name: the program, borrowed. Finds the journal through JOURNAL_STREAM (sd-daemon(3)). */
void log_open(const char *name, enum log_level most);

/* Sends to this journal from now on: a connected datagram socket, taken over; -1 for none. Tests need it. */
void log_to_journal(int fd);

/* Finds the context of the present fiber, or NULL; set once by the layer that knows (proto/call.c). */
void log_context_hook(const struct log_context *(*find)(void));

/* Tests read what was logged; NULL puts it back. */
void log_capture(void (*sink)(enum log_level level, const char *line));

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool log_enabled(enum log_level level);

/* The level of that word: error, warning, notice, info or debug. False if it is none of them. */
bool log_level_named(const char *word, enum log_level *ret);

#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_enabled(LOG_DEBUG))                                                        \
			log_write(LOG_DEBUG, __VA_ARGS__);                                         \
	} while (0)
