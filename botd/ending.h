/* How a job's attempt ended, in the words its log will have. */
#pragma once

#include <stdint.h>

enum ending_kind {
	ENDING_NONE,    /* not yet */
	ENDING_DONE,    /* with an outcome */
	ENDING_SIGN_IN, /* the site asks for the person */
	ENDING_AGAIN,   /* something of ours failed, or nobody knows: try again, and count it */
	ENDING_BUSY,    /* not now: try again, and do not count it */
	ENDING_LOST,    /* the lease is lost or botd ends: write nothing more, or give it back */
};

struct ending {
	enum ending_kind kind;
	const char *outcome; /* DONE; a constant or of the recipe */
	int64_t version;     /* SIGN_IN: of the session; 0: there is none */
	char reason[1024];   /* may be empty when DONE */
};

/* Sets it, cutting the reason. */
void ending_set(struct ending *e, enum ending_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* DONE with an outcome; the reason may be "". */
void ending_done(struct ending *e, const char *outcome, const char *format, ...) __attribute__((format(printf, 3, 4)));
