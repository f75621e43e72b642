/*
 * The screencast of one stream: whichever page is in front, as pictures for its viewers. Not for fibers: the frame path
 * waits for nothing.
 */
#pragma once

#include <stdint.h>

#include "streamd/browser/browser.h"
#include "streamd/browser/picture.h"

struct screencast;

/* show(owner, picture): a new picture, borrowed. */
struct screencast *screencast_new(int quality, void (*show)(void *owner, struct picture *p), void *owner);
struct screencast *screencast_free(struct screencast *c);

/* The page in front, or NO_TARGET. Casts it if on, and no other. */
void screencast_set_page(struct screencast *c, struct target_ref page);

/* Whether anybody looks. */
void screencast_set_on(struct screencast *c, bool on);

/* The size of every page from now on, CSS pixels. */
void screencast_set_size(struct screencast *c, int width, int height);

/* Makes Chromium send a picture of a page at rest. */
void screencast_refresh(struct screencast *c);

/* Page.screencastFrame of any page. */
void screencast_frame(struct screencast *c, struct target *page, const struct cbor *params);

/* The newest picture, borrowed, or NULL. */
struct picture *screencast_last(const struct screencast *c);
