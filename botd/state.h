/* botd's state: what its handlers find in call->daemon, and its workers share. One per process. */
#pragma once

#include "botd/closing.h"
#include "botd/held.h"
#include "botd/outage.h"
#include "botd/plan_clock.h"
#include "botd/queue.h"
#include "botd/roster.h"
#include "botd/settings.h"
#include "botd/worker.h"
#include "common/hub.h"
#include "common/resolver.h"
#include "db/service.h"
#include "proto/call.h"
#include "proto/peer.h"
#include "recipe/set.h"

struct botd {
	const struct botd_settings *settings;
	struct recipe_set *recipes;
	struct db_service database;
	struct db *db;
	struct peer *vault, *screen; /* sessiond, streamd */
	struct hub *news;            /* the number of a booking that has changed */
	struct hub *closed;          /* missed: a browser has been closed and its session saved */
	struct closings closings;
	struct outages outages;
	struct held_set doubted;     /* bookings in which the site has once seemed to ask for the person */
	struct held_set cut_off;     /* bookings whose last attempt the database ended, without a word in their log */
	bool database_away;
	bool stopping;
	struct held_set put_off;     /* bookings that have been told that the site is not well */
	struct queue queue;
	struct roster roster;
	struct resolver resolver;
	struct workers workers;
	struct fiber *plain;         /* seals pictures that an older botd has kept as they were (botd/plain.h) */
	struct plan_clock clock;
	struct fiber *resume;        /* wakes what waits for a sign-in (botd/resume.h) */
};

static inline struct botd *botd_of(const struct call *call)
{
	return call->daemon;
}

/* Until when a call may wait for the database: early enough that its caller still hears the answer. */
int64_t botd_deadline(const struct call *call);
