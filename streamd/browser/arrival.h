/*
 * An answer on its way. Chromium says that one has come to its end (Network.loadingFinished) only once its page has read it, and
 * many a script looks at the status alone. So one that is as long as it said it would be has come, too, and so has one that did
 * not say it, once there was something of its body and then nothing more for a while.
 */
#pragma once

#include <stdint.h>

#include "common/cbor.h"

struct arrival {
	int64_t at;   /* when something of it last came, or it was asked for; monotonic ms */
	int64_t left; /* bytes of its body, where its head has said how many; else -1 */
	enum { ARRIVAL_NOTHING, ARRIVAL_HEAD, ARRIVAL_BODY } stage;
};

/* It is asked for now. */
void arrival_begin(struct arrival *a);

/* An event of the Network domain that is about it: responseReceived or dataReceived; others say nothing of it. */
void arrival_event(struct arrival *a, const char *method, const struct cbor *params);

/* Until when something more of it is to be expected, in monotonic ms; NEVER: there is more, or it has not begun. */
int64_t arrival_until(const struct arrival *a);
