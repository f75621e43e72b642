/*
 * The inside of an act, for act.c, act_again.c, act_answer.c, act_apart.c, act_asked.c, act_coming.c, act_line.c and
 * act_settle.c alone.
 */
#pragma once

#include <stdlib.h>
#include <sys/queue.h>

#include "common/egress_rule.h"
#include "common/fiber.h"
#include "common/host.h"
#include "common/latch.h"
#include "common/must.h"
#include "streamd/browser/act.h"
#include "streamd/browser/arrival.h"
#include "streamd/browser/browser.h"

#define MOST_TRAIL  64  /* addresses of redirects that are remembered */
#define MOST_GONE   64  /* and of what has acted */
#define MOST_ANEW   16
#define MOST_MAYBE  4   /* of what may act, and mostly does not, that go alone */
#define MOST_COMING 32
#define MOST_APART  64
#define MOST_KNOWN  512 /* and of what pages have asked for, for reading */

enum gate {
	GATE_OFF,
	GATE_READY, /* all goes, and is noticed: the press is still to come */
	GATE_WATCH, /* the first that may act is awaited */
	GATE_HELD,  /* all is held back */
	GATE_SEND,  /* what may act goes alone */
	GATE_STOP,  /* what may act is refused, for the page is being left */
	GATE_LEFT,  /* the same, but something is open and the page has been left: all else goes */
};

/* A paused request. */
struct asked {
	char id[CDP_ID];
	char network[CDP_ID]; /* its id on the page's own session, or "" */
	char frame[CDP_ID];   /* whose document asks for it, or "" */
	char method[24];
	struct url *url;
	struct host host;
	uint16_t port;
	bool acts, plain;
	bool may_act; /* what is asked for the first time with GET, and is no page of its own: counts() */
	bool web;      /* and its host may be reached: the launcher refuses the others */
	bool document; /* that its frame is to show */
	bool orphaned; /* the document that has asked for it has gone */
	bool apart; /* of a page apart (act_apart.c) */
	bool own;   /* of another page itself, which may be the one that acts */
	bool reads; /* a script, what had not been asked for before, or a browser, whether a script may ask */
	uint64_t body; /* hashed; 0: it has none that is known */
	bool anew;     /* its document is loaded again, or gone back to */
	bool repeated; /* a redirect asks for it again where it has been */
	TAILQ_ENTRY(asked) link;
};

/* Where one request has been. */
struct trail {
	char job[CDP_ID]; /* its id without the redirects' count */
	uint64_t place;   /* method and address as it is shown, hashed */
};

/* What has acted, as long as the browser lives; both hashed. */
struct gone {
	uint64_t request, body;
	size_t press; /* the last before it */
};

/* What became of what went alone. */
struct tally {
	size_t gone, answered, lost, unsent;
	int highest;
};

/* What has been let go, and has not come whole. */
struct coming {
	char network[CDP_ID]; /* "": free */
	char frame[CDP_ID];
	char words[256];
	bool document;
	bool answer; /* to what acts; else it is read */
	struct arrival arrival;
};

/* What has been asked for since a page was opened, both hashed: the address, and who asked first. */
struct known {
	uint64_t address, request;
};

enum line { LINE_NONE, LINE_READY, LINE_MADE, LINE_HEARD, LINE_OVER, LINE_FAILED };

struct act {
	struct browser *browser;
	struct egress_rule *rule; /* the launcher's; NULL: everything may be reached */
	enum gate gate;
	TAILQ_HEAD(, asked) kept;
	size_t kept_count;
	struct asked *flying; /* gone, and not answered */
	bool over;            /* that has been answered, or never will be */
	bool withdrawn;       /* its page says that it is over */
	int64_t flown_at;
	int status;           /* its answer's; 0: none */
	char failure[64];     /* why not, Chromium's word */
	enum line line;       /* the connection it goes over */
	bool made, heard;
	bool dropped;         /* we have closed that, for what it was made for had been taken back */
	struct fiber *pump, *listener;
	struct latch work, news; /* the pump's; and of whoever waits for what becomes of it */
	struct trail trail[MOST_TRAIL];
	size_t trail_count;
	struct gone gone[MOST_GONE];
	size_t gone_count; /* of all there were: the oldest go */
	char anew[MOST_ANEW][CDP_ID]; /* documents that are loaded again, or gone back to */
	size_t anew_count;
	struct known known[MOST_KNOWN];
	size_t known_count; /* of all there were: the oldest go */
	int64_t changed; /* when something that may act last came, or was over */
	struct coming coming[MOST_COMING];
	int64_t read_at; /* when something that is read last ended */
	int64_t input_at;      /* when it was given input last since something was let go; 0: not since */
	size_t input_noticed;  /* and what had been noticed by then */
	bool pressed;    /* since act_watch() was called last */
	size_t presses;
	size_t noticed; /* act_noticed() */
	bool socket;     /* something went over a WebSocket since the press */
	char apart[MOST_APART][CDP_ID]; /* the pages apart, and their frames */
	size_t apart_count;
	bool hushed; /* and nothing of theirs goes: act_hush() */
	struct tally sure, maybe; /* of what acts, and of what may */
	char why[512];
};

/* act_line.c: 0 when the host of what is to go has no connection any more and gets one; else that is said. */
int line_begin(struct act *a);
void line_end(struct act *a);

/* Waits for the answer, or that there will be none. Until then the launcher lets nothing else to its host. */
int line_await_answer(struct act *a);

/* Whether what has been answered was so by the site: over plain HTTP the launcher answers as well, for want of one. */
bool line_was_heard(const struct act *a);

/* Whether it may have left, although no answer has come. */
bool line_may_have_carried(const struct act *a);

/* Other requests may go to its host, until anything is heard of it. */
void line_share(struct act *a);

/* act_coming.c: what has been let go, until it has come whole (Network.loadingFinished) or nobody is there for it any more. */
void coming_begin(struct act *a, const struct asked *k, bool answer);
void coming_more(struct act *a, const char *method, const struct cbor *params);
void coming_end(struct act *a, const struct cbor *params);
void coming_event(struct act *a, const char *method, const struct cbor *params);
void coming_forget_reads(struct act *a);

/*
 * An answer to what acts that is to be waited for, or, answer false, something that is read; NULL: none. And when the next of all
 * that is coming is not to be waited for any more.
 */
const struct coming *coming_first(const struct act *a, bool answer);
int64_t coming_until(const struct act *a);

/* act_apart.c: whether a frame is of a page apart; and what tells of their frames. */
bool apart_has(const struct act *a, const char *frame);
void apart_note(struct act *a, const char *session, const char *method, const struct cbor *params);

/* act_asked.c: reads Fetch.requestPaused. */
struct asked *asked_new(struct act *a, const struct cbor *params);
struct asked *asked_free(struct asked *k);
bool asked_same_host(const struct asked *a, const struct asked *b);

/* What pages have asked for (Network.requestWillBeSent). */
void known_note(struct act *a, const struct cbor *params);

/* act_again.c: RFC 9110, section 9.2.1. */
bool method_is_safe(const char *method);
uint64_t hash_of(const char *text, size_t n);

/* Where a request has been sent, for redirects, and whether one leads back there. */
void trail_note(struct act *a, const struct asked *k);
bool trail_has(const struct act *a, const struct asked *k);

/* What has acted; which documents are loaded again; and whether a request is one that a page makes again, by itself. */
void gone_note(struct act *a, const struct asked *k);
void anew_note(struct act *a, const struct cbor *params);
bool anew_has(const struct act *a, const struct asked *k);
bool is_again(const struct act *a, const struct asked *k);

/* act.c: what goes next, as it acts or may; NULL: nothing. */
struct asked *act_next(const struct act *a);

/* act_answer.c: whether any of it left. */
bool tally_has_left(const struct tally *t);
