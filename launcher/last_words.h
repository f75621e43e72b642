/* What the browser wrote to its standard error last: the best there is on why it ended. */
#pragma once

struct last_words;

/*
 * Makes a pipe and reads it on the loop; *ret_write_end is the caller's. Each line goes to the log
 * at debug.
 */
int last_words_new(struct last_words **ret, int *ret_write_end);

/* Takes NULL, returns NULL. */
struct last_words *last_words_free(struct last_words *w);

/*
 * The last line of those that call themselves fatal, else the last, with what is still in the pipe;
 * in words (common/words.h), at most 200 bytes. NULL if there was none. Borrowed.
 */
const char *last_words_line(struct last_words *w);
