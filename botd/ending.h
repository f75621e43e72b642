/* How a job's attempt ended, in the words its log will have. */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "botd/job.h"
#include "common/words.h"

enum ending_kind {
	ENDING_NONE,        /* not yet */
	ENDING_DONE,        /* with an outcome */
	ENDING_SIGN_IN,     /* the site asks for the person */
	ENDING_EXPIRED,     /* it seems to: look again at once with a fresh browser; once for nothing, then it counts */
	ENDING_DOWN,        /* the site is not well: try again when it may be, and do not count it */
	ENDING_UNABLE,      /* it cannot be done, and would not be at another try */
	ENDING_LOOK,        /* it may have been sent, and the site's list does not show it, or cannot be read: look again */
	ENDING_AGAIN,       /* something of ours failed, or nobody knows: try again, and count it */
	ENDING_BUSY,        /* not now: try again, and do not count it */
	ENDING_UNWANTED,    /* its person has withdrawn it before anything was sent */
	ENDING_LOST,        /* the lease is lost: write nothing more */
	ENDING_INTERRUPTED, /* botd ends: give it back at once, and do not count it */
	ENDING_REFUSED,     /* the database refused a write: try again, and count it */
};

struct ending {
	enum ending_kind kind;
	const char *outcome; /* DONE; a constant or of the recipe */
	int64_t version;     /* SIGN_IN: of the session; 0: there is none */
	int64_t retry_ms;    /* DOWN: how long the site wants to be left alone; 0: it does not say */
	int place;           /* DOWN: where it was met so (botd/outage.h) */
	char reason[1024];   /* may be empty when DONE */
};

/* Sets it, cutting the reason. -ENOENT, by which whoever asked for the next thing hears that there is none. */
#define ending_set(e_, kind_, ...)                                                                 \
	((e_)->kind = (kind_), words_fail(-ENOENT, (e_)->reason, sizeof((e_)->reason), __VA_ARGS__))

/* What a write means for the attempt: 0 for JOB_OK, else it has ended: -ENOENT. */
int ending_written(struct ending *e, enum job_result r);
