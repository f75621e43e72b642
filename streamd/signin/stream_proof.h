/* Proving and saving what a sign-in has come to: stream_proof.c, for the flow alone. */
#pragma once

#include "state/state.h"
#include "streamd/signin/stream.h"

/* A page that is signed in. */
struct signed_in {
	struct state *state;
	char account[257]; /* that the page itself shows; "": none */
};
void signed_in_end(struct signed_in *it);

#define STREAM_CHANGED 2
#define STREAM_GO_ON   "Go on in the browser, then press \"Check now\"."

/*
 * 1: saved. 0: not, and said why; the person may go on. STREAM_CHANGED, once between two things that the person does: the site
 * said no, and the page has got something new since it was captured. Negative: over.
 */
int stream_prove(struct stream *s, const struct signed_in *it);

/* Failed, but the browser is there and the person can go on in it. */
void stream_fail_for_now(struct stream *s, const char *reason, const char *advice);

/* Cuts the sign-in browser's network or opens it. 0 or as browser_set_network(). */
int stream_set_network(struct stream *s, bool open);
