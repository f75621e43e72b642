/* A frame's body as a text of our own, which is taken apart where it stands and cleansed in the end. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "proto/conn.h"

struct frame_text {
	char *buffer; /* size bytes, in which the text stands; NULL once it has been handed on */
	size_t size;
	char *p; /* n bytes and a NUL */
	size_t n;
};

/*
 * Within conn_events.frame(), once: the connection's buffer in which the body stands, or a copy where that is cheaper. Aborts when
 * memory is exhausted; n is capped by the connection.
 */
struct frame_text frame_text_take(struct conn *c, const char *body, size_t n);

static inline void frame_text_free(struct frame_text *t)
{
	if (t->buffer)
		explicit_bzero(t->buffer, t->size);
	free(t->buffer);
	t->buffer = NULL;
}
