#include "streamd/browser/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "streamd/browser/answer.h"

#define REST_MS 1000

void arrival_begin(struct arrival *a)
{
	*a = (struct arrival){ .at = loop_now(), .left = -1 };
}

/* Of what is compressed or in chunks, nobody says how much comes of it. */
static int64_t length_of(const struct cbor *headers)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	const char *length = answer_header(arena, headers, "content-length");

	if (!length || !*length || strspn(length, "0123456789") != strlen(length) || strlen(length) > 15)
		return -1;
	return answer_header(arena, headers, "content-encoding") ? -1 : strtoll(length, NULL, 10);
}

void arrival_event(struct arrival *a, const char *method, const struct cbor *params)
{
	if (strcmp(method, "Network.responseReceived") == 0) {
		a->at = loop_now();
		a->stage = ARRIVAL_HEAD;
		a->left = length_of(cbor_get(cbor_get(params, "response"), "headers"));
	} else if (strcmp(method, "Network.dataReceived") == 0) {
		int64_t n = cbor_get_int(params, "dataLength", 0);
		a->at = loop_now();
		a->stage = ARRIVAL_BODY;
		if (a->left >= 0)
			a->left -= n < 0 ? 0 : n < a->left ? n : a->left;
	}
}

int64_t arrival_until(const struct arrival *a)
{
	if (a->left == 0)
		return a->at;
	return a->stage == ARRIVAL_BODY && a->left < 0 ? a->at + REST_MS : NEVER;
}
