/* The registry of sign-ins: open ones, and for a while those that have ended, so that a page can still read why. */
#pragma once

#include "proto/streamd.h"
#include "streamd/signin/sign_in.h"

struct sign_ins;

struct sign_ins *sign_ins_new(struct streamd *d);

/* In a fiber: ends every sign-in and waits until its browser is gone; its viewers are told why. */
void sign_ins_end(struct sign_ins *all);

/* In a fiber, once nobody looks any more. Takes NULL, returns NULL. */
struct sign_ins *sign_ins_free(struct sign_ins *all);

/* Those that are open, their browsers, and whoever looks at them; of one user, or, user 0, of all. */
struct sign_ins_tally {
	size_t open, browsers, viewers;
};
struct sign_ins_tally sign_ins_count(const struct sign_ins *all, int64_t user);

struct sign_in *sign_ins_find(struct sign_ins *all, const char *id);

/*
 * Why there is no sign-in of that name: a sentence if it is one of an earlier life of this service, or NULL if there never was
 * one.
 */
const char *sign_ins_why_gone(const struct sign_ins *all, const char *id);

