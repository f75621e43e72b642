/* Lines that come through a pipe, read on the loop. */
#pragma once

#define LINES_MOST 1024 /* bytes of one; of a longer one the rest is not heard */

struct lines;

/* fd is taken over, non-blocking. heard(arg, line): each line without its end, whatever else is in it; a NUL is its end. */
struct lines *lines_new(int fd, void (*heard)(void *arg, const char *line), void *arg);

/* Takes NULL, returns NULL. */
struct lines *lines_free(struct lines *l);

/* Reads what is in the pipe, and takes what has no end yet for a line: its writers have gone. */
void lines_finish(struct lines *l);
