/* A run, for the files of botd's runs alone. */
#pragma once

#include "botd/run.h"
#include "common/fiber.h"
#include "common/latch.h"

struct run {
	struct botd *botd;
	const struct recipe *recipe;
	struct acting acting;
	char holder[64];
	char id[64]; /* the name that streamd has of it; "" while it has no browser for us */
	char account[257];
	int64_t token;
	int64_t session;      /* its number */
	int64_t kept;         /* the session's version: that of the last save */
	int64_t tried;        /* the version of the state that the browser was given */
	bool older;           /* there is an older state, that was proved, to be tried if this is none any more */
	struct call *fetched; /* owns state until the browser has it; else NULL */
	int state;
	bool leased, lost, broken; /* lost: the lease, so what we hold may be outdated and is not stored */
	bool releasing;            /* the keeper is to end */
	struct fiber *keeper;      /* prolongs the lease */
	struct latch pause;        /* of the keeper's */
};

/* What a refused call to another daemon means for the job: -ECANCELED or -ENOENT, with the ending set. */
int run_refused(struct call *call, int e, struct ending *end);

/* What is known of the session besides, for the person to see; the job goes its way whether or not the vault hears that. */
void run_remark(struct run *r, const char *health, const char *reason);
