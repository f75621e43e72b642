#include "launcher/last_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"

#define LINE 201  /* as much as is told of one */
#define MOST 1025 /* as much as is looked at; longer, so that words_set() sees where it cuts */

struct last_words {
	int fd;
	struct event *readable;
	char line[MOST]; /* not whole yet */
	size_t length;
	char last[LINE], fatal[LINE];
};

static void end_line(struct last_words *w)
{
	w->line[w->length] = '\0';
	if (w->length) {
		log_debug("chromium: %s", w->line);
		words_set(strstr(w->line, "FATAL") ? w->fatal : w->last, LINE, "%s", w->line);
	}
	w->length = 0;
}

/* Reads what is there; false at the end. */
static bool last_words_take(struct last_words *w)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(w->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == '\n')
				end_line(w);
			else if (w->length < MOST - 1)
				w->line[w->length++] =
					bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
		}
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void on_last_words_readable(evutil_socket_t, short, void *arg)
{
	struct last_words *w = arg;

	if (!last_words_take(w))
		event_del(w->readable);
}

int last_words_new(struct last_words **ret, int *ret_write_end)
{
	int ends[2];
	struct last_words *w;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	w = must(calloc(1, sizeof(*w)));
	w->fd = ends[0];
	fcntl(w->fd, F_SETFL, O_NONBLOCK);
	w->readable = loop_watch(w->fd, EV_READ | EV_PERSIST, on_last_words_readable, w);
	*ret = w;
	*ret_write_end = ends[1];
	return 0;
}

struct last_words *last_words_free(struct last_words *w)
{
	if (w) {
		event_free(w->readable);
		close(w->fd);
		free(w);
	}
	return NULL;
}

const char *last_words_line(struct last_words *w)
{
	last_words_take(w);
	end_line(w);
	return *w->fatal ? w->fatal : *w->last ? w->last : NULL;
}
