/* What botd's handlers and workers share. */
#pragma once

#include "botd/bell.h"
#include "botd/settings.h"
#include "db/db.h"
#include "proto/call.h"
#include "proto/peer.h"
#include "recipe/set.h"

struct botd;
struct worker;

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

/* Starts the workers and the watch on the sessions. */
void botd_start(struct botd *b);

/* On SIGTERM, in a fiber: gives the jobs under way back to the queue, saves the sessions, lets calls end. */
void botd_stop(void *b);

struct db *botd_db(struct botd *b);
const struct botd_settings *botd_settings(const struct botd *b);
const struct recipe_set *botd_recipes(const struct botd *b);
struct peer *botd_vault(struct botd *b);  /* sessiond */
struct peer *botd_screen(struct botd *b); /* streamd */
struct bell *botd_work(struct botd *b);   /* rings when there may be work */
struct bell *botd_news(struct botd *b);   /* rings with the number of a booking that has changed */

struct bell *botd_closed(struct botd *b); /* rings when a worker has closed a browser */

/* The workers, from 0; NULL past the last. */
struct worker *botd_worker(struct botd *b, unsigned i);

/* Until when a call may wait for the database: early enough that its caller still hears the answer. */
int64_t botd_deadline(const struct call *call);
