/*
 * Frames: a 4-byte big-endian length, then that many bytes of one UTF-8 JSON object.
 *
 * Pure: looks at bytes, does no I/O and allocates nothing, so a hostile length costs nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 4

enum frame_state {
	FRAME_INCOMPLETE, /* wait for more bytes */
	FRAME_COMPLETE,
	FRAME_FATAL, /* length 0 or above the cap: nothing that follows can be trusted, close */
};

struct frame {
	const uint8_t *body; /* borrowed from the input; set when complete */
	size_t length;       /* of the body; set as soon as the header is whole and the length is allowed */
};

/* Looks at the n bytes at p for one frame of at most cap bytes of body. */
enum frame_state frame_parse(const uint8_t *p, size_t n, size_t cap, struct frame *ret);

/* Writes the header of a body of length bytes. */
void frame_header(uint8_t out[FRAME_HEADER], uint32_t length);
