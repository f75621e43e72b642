/*
 * A person's session at a site in our own hands: asked over HTTP by request steps, without a browser. What the site sets goes into
 * its state, as a browser would keep it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"
#include "recipe/answer.h"
#include "recipe/step.h"

struct botd;
struct direct;

/* Of the state in a sealed memfd, which stays the caller's. -EBADMSG and the like with a sentence in why. */
int direct_new(struct botd *b, const struct recipe *recipe, int state, struct direct **ret, char why[HTTP_WHY]);

/* Takes NULL, returns NULL. */
struct direct *direct_free(struct direct *d);

/* Whether the site has set something since it was made, or since direct_kept(). */
bool direct_changed(const struct direct *d);
void direct_kept(struct direct *d);

/* A sealed memfd of its state. */
int direct_memfd(const struct direct *d, int *ret);

/* Ended with said_end(). */
struct said {
	struct answer_said answer;
	const char *url;  /* whose it is, after redirects */
	int64_t retry_ms; /* what the site wants to be left alone; 0: it does not say */
	bool out;         /* it leads to where people sign in */
	bool gone;        /* all of the request has left; told of a failure, too */
};

void said_end(struct said *s);

/* The site is not well, as HTTP has it: 429 or 5xx. */
bool said_is_down(const struct said *s);

/*
 * One step, filled in, and its answer, whose texts lie in the arena. A redirect is followed, unless the step is the act. 0; else as
 * http_fetch(), or -ELOOP, with a sentence in why.
 */
int direct_ask(struct direct *d, const struct step *step, int64_t deadline, struct arena *arena, struct said *ret,
	char why[HTTP_WHY]);

/*
 * The act: connects and sends all but its last byte, where it has a body; without one nothing is sent yet. Then lets it go and
 * waits for the answer. direct_let_go() is called once for each direct_hold() that succeeded; direct_drop() instead gives it up.
 */
int direct_hold(struct direct *d, const struct step *step, int64_t deadline, char why[HTTP_WHY]);
int direct_let_go(struct direct *d, int64_t deadline, struct arena *arena, struct said *ret, char why[HTTP_WHY]);
void direct_drop(struct direct *d);
bool direct_holds(const struct direct *d);
