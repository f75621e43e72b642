/* botd from its start to its end. */
#pragma once

#include "botd/settings.h"
#include "proto/method.h"

struct botd;

/*
 * Reads the recipes, prepares the database, which need not answer yet, and the way to sessiond and streamd. The
 * settings are borrowed. A negative errno after saying why in the log.
 */
int botd_new(const struct botd_settings *settings, struct botd **ret);

/* Takes NULL, returns NULL. */
struct botd *botd_free(struct botd *b);
void botd_freep(struct botd **b);

/* Accepts callers of that role on the socket of that name; user is the setting that says who. Says why it fails. */
int botd_listen(struct botd *b, const char *name, enum role role, const char *user);

/* The recipes anew: new work goes by the new ones, open work ends with those it began with. */
void botd_load_recipes(struct botd *b);

/* Starts the workers and the watch on the sessions. */
void botd_start(struct botd *b);

/* On SIGTERM, in a fiber: gives the jobs under way back to the queue, saves the sessions, lets calls end. */
void botd_stop(void *b);
