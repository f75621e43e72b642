/* Proving and saving what a sign-in has come to: sign_in_proof.c, for the flow alone. */
#pragma once

#include "state/state.h"
#include "streamd/signin/sign_in.h"

/* A page that is signed in. */
struct signed_in {
	struct state *state;
	char account[257]; /* that the page itself shows; "": none */
};
void signed_in_end(struct signed_in *it);

#define SIGN_IN_CHANGED 2
#define SIGN_IN_GO_ON   "Go on in the browser, then press \"Check now\"."

/*
 * 1: saved. 0: not, and said why; the person may go on. SIGN_IN_CHANGED, once between two things that the person does: the site
 * said no, and the page has got something new since it was captured. Negative: over.
 */
int sign_in_prove(struct sign_in *s, const struct signed_in *it);

/* Cuts the sign-in browser's network or opens it. 0 or as browser_set_network(). */
int sign_in_set_network(struct sign_in *s, bool open);
