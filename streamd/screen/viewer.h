/* A viewer: one WebSocket of a page that looks at a screen, and what it may do there; and all of one screen. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "proto/method.h"
#include "streamd/edge/edge.h"

struct dispatch_row;
struct picture;
struct said;
struct screen;

struct viewer {
	struct edge *edge;
	uint64_t id; /* of the edge's connection */
	struct screen *screen;
	const struct dispatch_row *rows; /* what it may say */
	unsigned scopes;                 /* proto/scope.h */
	bool visible;
	LIST_ENTRY(viewer) link;
};

LIST_HEAD(viewer_list, viewer);

/* Sends one event of proto/viewer.def; to every viewer. */
void viewer_tell(struct viewer *v, const struct method *event, const void *fields);
void viewers_tell(struct viewer_list *list, const struct method *event, const void *fields);

/* Sends the picture to every viewer who looks. */
void viewers_show(struct viewer_list *list, struct picture *p);

/* Does what it has said: 0, or -EPROTO with *ret_why, a sentence, valid until the next call. */
int viewer_carry_out(struct viewer *v, const struct said *said, const char **ret_why);

size_t viewers_count(const struct viewer_list *list);

/* Whether one of them looks. */
bool viewers_look(const struct viewer_list *list);
