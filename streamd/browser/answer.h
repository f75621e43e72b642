/*
 * What a site answered to the document that a page shows: its HTTP status, or that there was no connection and Chromium
 * shows a page of its own instead. An outage of the site is no sign-out, and an error page is not an empty list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cbor.h"

struct answer {
	char loader[48];  /* Chromium's name of the load, as long as CDP_ID */
	int status;       /* HTTP; 0: none */
	int64_t retry_ms; /* Retry-After; 0: not said */
	bool challenged;  /* 401 with a challenge of HTTP authentication (RFC 9110, section 11.6.1) */
	char error[64];   /* "net::ERR_..." where there was no answer; else "" */
};

/* Of a response's headers, whose names are of any case; NULL: there is none. In the arena. */
const char *answer_header(struct arena *arena, const struct cbor *headers, const char *name);

/* Of Network.responseReceived: what it says of the answer. */
void answer_read(struct answer *a, const struct cbor *params);

/* Of Network.loadingFailed for the load a is about. */
void answer_fail(struct answer *a, const struct cbor *params);

/* The site's outage: 5xx, 429, or no connection; not what it says of the person, nor what is wrong with the recipe. */
bool answer_is_down(const struct answer *a);

/* What was answered, as the end of a sentence: "answers 503 (the service is not available)". Always written. */
void answer_words(const struct answer *a, char *out, size_t size);
