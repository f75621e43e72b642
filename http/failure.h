/* What has become of a request that did not end well (private to http/). */
#pragma once

#include "http/transfer.h"

/* Of one that is done: 0, or as http_fetch(). */
int failure_of(const struct transfer *t);

/* The sentence for it. */
void failure_say(const struct transfer *t, int error, char why[HTTP_WHY]);
