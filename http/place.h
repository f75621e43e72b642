/* Where an address leads. One reader of them, libcurl's, decides what is dialled, asked for and sent along. (private to http/) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "common/host.h"

struct place {
	struct host host;
	bool secure; /* https */
	uint16_t port;
	CURLU *url; /* without a fragment */
};

/* False: it is no absolute address of http or https, or names a user. End it with place_end() in either case. */
bool place_read(const char *text, struct place *ret);
void place_end(struct place *p);
