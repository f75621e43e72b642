/* botd's state: what its handlers find in call->daemon, and its workers share. One per process. */
#pragma once

#include "botd/settings.h"
#include "common/hub.h"
#include "db/service.h"
#include "proto/call.h"
#include "proto/peer.h"
#include "recipe/set.h"

#define MOST_WORKERS 64

struct closings;
struct held;
struct outages;
struct resume;
struct worker;

struct botd {
	const struct botd_settings *settings;
	struct recipe_set *recipes;
	struct db_service database;
	struct db *db;
	struct peer *vault, *screen; /* sessiond, streamd */
	struct hub *work;            /* missed: there may be work */
	struct hub *news;            /* the number of a booking that has changed */
	struct hub *closed;          /* missed: a browser has been closed and its session saved */
	struct closings *closings;
	struct outages *outages;
	struct held *doubted;        /* bookings in which the site has once seemed to ask for the person */
	struct held *cut_off;        /* bookings whose last attempt the database ended, without a word in their log */
	bool database_away;
	bool stopping;
	struct held *put_off;        /* bookings that have been told that the site is not well */
	bool claims_fail, looks_fail; /* the workers have said that they cannot claim, or see what is due */
	struct worker *workers[MOST_WORKERS + 1]; /* NULL past the last */
	struct resume *resume;
};

static inline struct botd *botd_of(const struct call *call)
{
	return call->daemon;
}

/* Until when a call may wait for the database: early enough that its caller still hears the answer. */
int64_t botd_deadline(const struct call *call);
