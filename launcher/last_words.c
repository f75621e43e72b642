#include "launcher/last_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/must.h"
#include "common/words.h"
#include "launcher/lines.h"

#define LINE 201 /* as much as is told of one */

struct last_words {
	struct lines *lines;
	char last[LINE], fatal[LINE];
};

static void on_line(void *arg, const char *line)
{
	struct last_words *w = arg;

	if (!*line)
		return;
	log_debug("chromium: %s", line);
	words_set(strstr(line, "FATAL") ? w->fatal : w->last, LINE, "%s", line);
}

int last_words_new(struct last_words **ret, int *ret_write_end)
{
	int ends[2];
	struct last_words *w;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	w = must(calloc(1, sizeof(*w)));
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	w->lines = lines_new(ends[0], on_line, w);
	*ret = w;
	*ret_write_end = ends[1];
	return 0;
}

struct last_words *last_words_free(struct last_words *w)
{
	if (w)
		lines_free(w->lines);
	free(w);
	return NULL;
}

const char *last_words_line(struct last_words *w)
{
	lines_finish(w->lines);
	return *w->fatal ? w->fatal : *w->last ? w->last : NULL;
}
