/*
 * A picture of a page on its way to viewers: one binary message, made once and then only read, shared by reference
 * between the viewers it goes to. Headroom lies before it, so that it is sent from where it is.
 *
 * The message, little-endian, is a header of 32 bytes and then a JPEG:
 *
 *	0 u8 type = 1   1 u8 flags (bit 0: sharp still)   2 u16 reserved   4 u32 seq   8 f64 captured_at, s since 1970
 *	16 f32 page width   20 f32 page height   24 f32 offset_top   28 f32 page_scale; sizes in CSS px of the page
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_HEADER   32
#define PICTURE_HEADROOM 32 /* for the header of a WebSocket frame */

struct picture;

struct picture_header {
	bool sharp;         /* a still of a page at rest */
	uint32_t seq;       /* counts up; the viewer acknowledges it */
	double captured_at; /* s since 1970, by the browser */
	float page_width, page_height, offset_top, page_scale;
};

/* For a JPEG of size bytes. Aborts when memory is exhausted: cap the size first. */
struct picture *picture_new(const struct picture_header *header, size_t size);

/* Where the JPEG goes; written before the picture is shared, never afterwards. */
uint8_t *picture_jpeg(struct picture *p);

/* The whole message, header and JPEG. PICTURE_HEADROOM bytes before it belong to whoever sends it. */
uint8_t *picture_message(struct picture *p);
size_t picture_size(const struct picture *p);

uint32_t picture_seq(const struct picture *p);

/* picture_unref() takes NULL, returns NULL. */
struct picture *picture_ref(struct picture *p);
struct picture *picture_unref(struct picture *p);
