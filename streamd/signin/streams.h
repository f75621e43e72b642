/* The registry of sign-ins: open ones, and for a while those that have ended, so that a page can still read why. */
#pragma once

#include "proto/streamd.h"
#include "streamd/signin/stream.h"

struct streams;

struct streams *streams_new(struct streamd *d);

/* In a fiber: ends every stream and waits until its browser is gone; its viewers are told why. */
void streams_end(struct streams *all);

/* In a fiber, once nobody looks any more. Takes NULL, returns NULL. */
struct streams *streams_free(struct streams *all);

/* Open ones. */
size_t streams_count(const struct streams *all);
size_t streams_browsers(const struct streams *all);
size_t streams_viewers(const struct streams *all);

struct stream *streams_find(struct streams *all, const char *id);
struct viewer *streams_find_viewer(struct streams *all, uint64_t edge_id);

/*
 * Why there is no stream of that name: a sentence if it is one of an earlier life of this service, or NULL if there never was
 * one.
 */
const char *streams_why_gone(const struct streams *all, const char *id);

