/* A viewer: one WebSocket of a page that looks at a stream; and all of one stream. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "proto/method.h"
#include "streamd/edge/edge.h"

struct picture;
struct stream;

struct viewer {
	struct edge *edge;
	uint64_t id; /* of the edge's connection */
	struct stream *stream;
	bool visible;
	LIST_ENTRY(viewer) link;
};

LIST_HEAD(viewer_list, viewer);

/* Sends one event of proto/viewer.def; to every viewer. */
void viewer_tell(struct viewer *v, const struct method *event, const void *fields);
void viewers_tell(struct viewer_list *list, const struct method *event, const void *fields);

/* Sends the picture to every viewer who looks. */
void viewers_show(struct viewer_list *list, struct picture *p);

size_t viewers_count(const struct viewer_list *list);

/* Whether one of them looks. */
bool viewers_look(const struct viewer_list *list);

/* Closes every viewer's connection: the stream has ended. */
void viewers_close(struct viewer_list *list, const char *why);
