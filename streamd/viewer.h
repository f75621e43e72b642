/* A viewer: one WebSocket of a page that looks at a stream. */
#pragma once

#include "streamd/edge_routes.h"
#include "streamd/stream.h"

struct viewer {
	struct edge *edge;
	uint64_t id;
	struct stream *stream;
	bool visible;
	int64_t allowance, charged_at; /* what it may still send: viewer.c */
	LIST_ENTRY(viewer) link;
};

/* The edge's row for /ws/streams/ID. */
struct edge_route viewer_route(struct streamd *d);

/* Sends one event of proto/viewer.def. */
void viewer_tell(struct viewer *v, const struct method *event, const void *fields);

/* Sends the picture to every viewer who looks; switches the screencast on or off as they come and go. */
void viewers_show(struct stream *s, struct picture *p);
void viewers_update(struct stream *s);

/* Closes every viewer's connection: the stream has ended. */
void viewers_close(struct stream *s);

size_t viewers_count(const struct stream *s);
