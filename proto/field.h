/*
 * The one decoder and the one encoder: between a JSON object and the struct that its rows describe.
 *
 * Decoding checks everything a row says; unknown names are refused. It goes straight from a frame's text to the struct and
 * back; who holds a document (HTTP, WebSockets) has its text read. Strings point into the text, lists and objects lie in the
 * arena: both must outlive the struct.
 */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "proto/error.h"
#include "proto/method.h"

struct bytes;

/*
 * Fills out (method->..._size bytes) from n bytes of text, which are changed in place, with one more byte behind them. JSON
 * fields become documents of their own, all of them in *keep, a list that is made when first needed (NULL before) and is the
 * caller's. fd: the descriptor that came beside the frame or -1; taken (and set to -1) when a MEMFD or HANDLE field claims
 * it, after its seals and size have been checked. 0; -EREMOTEIO with *why set, or -EBADMSG when the text is not well-formed,
 * and *why says which. Then out holds nothing that needs freeing.
 */
int fields_read(struct arena *arena, const struct field *rows, char *text, size_t n, int *fd, void *out, json_t **keep,
	struct refusal *why);

/* The same from an object, whose text is made in the arena. */
int fields_decode(struct arena *arena, const struct field *rows, const json_t *object, int *fd, void *out, json_t **keep,
	struct refusal *why);

/* An object may have this many rows at most, OPT marks included. */
#define FIELDS_MOST 64

/*
 * Writes an object of what in holds, behind what is there; what was written of a struct that is broken does not count. ret_fd
 * gets the descriptor that goes beside the frame, borrowed from the struct, or -1. Optional fields that are zero are left out.
 * Aborts when memory is exhausted; -EINVAL when the struct breaks its own rows (a missing string, a list too long), which is a bug
 * of the caller and is told by *why.
 */
int fields_write(struct bytes *text, const struct field *rows, const void *in, int *ret_fd, struct refusal *why);

/* Sets every descriptor of the struct to -1, so that it can be filled or dropped. */
void fields_init(const struct field *rows, void *out, size_t size);

/* Closes every descriptor that the struct owns. */
void fields_close(const struct field *rows, void *out);
