/* A frame's body as a text of our own, which is taken apart where it stands and cleansed in the end. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "proto/conn.h"

struct frame_text {
	char *buffer; /* size bytes, in which the text stands; NULL once it has been handed on */
	size_t size;
	char *p; /* n bytes and a NUL */
	size_t n;
};

/* Within conn_events.frame(). Aborts when memory is exhausted; n is capped by the connection. */
static inline struct frame_text frame_text_take(struct conn *c, const char *body, size_t n)
{
	struct frame_text t = { .n = n };

	t.buffer = conn_take_body(c, &t.size, &t.p);
	if (t.buffer)
		return t;
	t.buffer = t.p = must(malloc(n + 1));
	t.size = n;
	memcpy(t.p, body, n);
	t.p[n] = '\0';
	return t;
}

static inline void frame_text_free(struct frame_text *t)
{
	if (t->buffer)
		explicit_bzero(t->buffer, t->size);
	free(t->buffer);
	t->buffer = NULL;
}
