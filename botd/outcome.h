/* Where an outcome is decided: from what an attempt has seen to how it ends. Pure. */
#pragma once

#include <stdbool.h>

#include "botd/ending.h"

/* Facts, as bits. One of the first three; of the list, once it has been read or could not be, one of the next three. */
enum outcome_fact {
	OUTCOME_BEFORE = 1 << 0,     /* nothing has been tried yet in this attempt */
	OUTCOME_UNSENT = 1 << 1,     /* it was tried, and nothing has left */
	OUTCOME_SENT = 1 << 2,       /* it was sent, in this attempt or, perhaps, before */
	OUTCOME_LISTED = 1 << 3,     /* it stands in the site's own list */
	OUTCOME_LACKING = 1 << 4,    /* it does not */
	OUTCOME_UNREAD = 1 << 5,     /* the list could not be read */
	OUTCOME_EARLIER = 1 << 6,    /* an earlier attempt may have sent it */
	OUTCOME_STUCK = 1 << 7,      /* it was to be let go, and could not leave */
	OUTCOME_SWALLOWED = 1 << 8,  /* all steps were carried out, and nothing was asked for */
	OUTCOME_COMPLAINT = 1 << 9,  /* the page says what did not work */
	OUTCOME_SETTLED = 1 << 10,   /* the site has answered, and the recipe knows what the page says then */
	OUTCOME_SURE = 1 << 11,      /* it was sent for sure */
	OUTCOME_ANSWER = 1 << 12,    /* and it is known what the site answered */
};

/* What stands in the sentences; "" where there is none. */
struct outcome_seen {
	unsigned facts;
	const char *site;      /* its title */
	const char *undone;    /* what a step wanted to do and could not, in words for the person */
	const char *stuck;     /* why it could not leave */
	const char *complaint; /* what the page says */
	const char *answer;    /* what the site answered, as a sentence */
	const char *verdict;   /* the outcome that the recipe makes of it; NULL: none */
};

/* Whether it is an end that its person wants: there is a place, or one will come. */
bool outcome_is_good(const char *outcome);

/* Nothing is set when it is to be gone on with: nothing has been tried yet, and the list does not have it. */
void outcome_decide(const struct outcome_seen *s, struct ending *e);
