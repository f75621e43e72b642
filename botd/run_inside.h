/* A run, for the files of botd's runs alone. */
#pragma once

#include "botd/direct.h"
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
	struct direct *direct; /* the session in our own hands; NULL: in a browser, or not yet */
	bool pageless;         /* it needs no browser */
	bool act_requested;    /* what is held back, or was last, is a request of ours */
	struct reply reply;    /* to the last request */
	struct answer answer;  /* to the last act */
	bool leased, lost, broken; /* lost: the lease, so what we hold may be outdated and is not stored */
	bool releasing;            /* the keeper is to end */
	struct fiber *keeper;      /* prolongs the lease */
	struct latch pause;        /* of the keeper's */
};

/* What a refused call to another daemon means for the job: -ECANCELED or -ENOENT, with the ending set. */
int run_refused(struct call *call, int e, struct ending *end);

/* Without a browser (botd/run_probe.c): reads the session's state, asks the site's probe; *ret as streamd tells of its browser. */
int direct_run_open(struct run *r, struct run_open_result *ret, struct ending *end);

/* Its state, a memfd, if the site has set anything, else -1; *ret_proved_at_ms is left if nothing has shown since that it works. */
int direct_run_close(struct run *r, bool prove, int64_t *ret_proved_at_ms);

/* Request steps (botd/run_request.c), as those of run.h. */
enum step_result request_take(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct run_step_result *ret, struct ending *end);
enum step_result request_hold(struct run *r, struct call *call, const struct step *step, const struct variables *v,
	struct held *ret_held, struct ending *end);
struct answer request_send(struct run *r, int64_t wait_ms, struct ending *end);

/* What is known of the session besides, for the person to see; the job goes its way whether or not the vault hears that. */
void run_remark(struct run *r, const char *health, const char *reason);
