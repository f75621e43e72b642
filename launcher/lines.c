#include "launcher/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/loop.h"
#include "common/must.h"

struct lines {
	int fd;
	struct event *readable;
	void (*heard)(void *arg, const char *line);
	void *arg;
	char line[LINES_MOST + 1]; /* not whole yet */
	size_t length;
};

static void end_line(struct lines *l)
{
	l->line[l->length] = '\0';
	l->length = 0;
	l->heard(l->arg, l->line);
}

/* As read(2). */
static ssize_t read_some(struct lines *l)
{
	char bytes[4096];
	ssize_t n = read(l->fd, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			end_line(l);
		else if (l->length < LINES_MOST)
			l->line[l->length++] = bytes[i];
	}
	return n;
}

static void on_lines_readable(evutil_socket_t, short, void *arg)
{
	struct lines *l = arg;
	ssize_t n = read_some(l);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		event_del(l->readable);
}

struct lines *lines_new(int fd, void (*heard)(void *arg, const char *line), void *arg)
{
	struct lines *l = must(calloc(1, sizeof(*l)));

	*l = (struct lines){ .fd = fd, .heard = heard, .arg = arg };
	l->readable = loop_watch(fd, EV_READ | EV_PERSIST, on_lines_readable, l);
	return l;
}

struct lines *lines_free(struct lines *l)
{
	if (!l)
		return NULL;
	event_free(l->readable);
	close(l->fd);
	free(l);
	return NULL;
}

void lines_finish(struct lines *l)
{
	while (read_some(l) > 0)
		;
	if (l->length)
		end_line(l);
}
