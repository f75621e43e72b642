/* The background session of one user and one site: what its envelope is bound to. */
#pragma once

#include "proto/call.h"
#include "sessiond/envelope.h"
#include "sessiond/fingerprint.h"
#include "sessiond/sessiond.h"

struct background {
	char user[24], row[24]; /* in decimal; row once it is known */
	char fingerprint[FINGERPRINT_SIZE];
	struct envelope_context context; /* points into this struct, which must not move */
};

/*
 * Refuses unless the vault may work (keycheck.h), then fills b for the call's user and site, which
 * is borrowed; row and version are still to be set.
 */
int background_init(struct background *b, struct call *call, const char *site);

/* Which row and version b is about. */
void background_set(struct background *b, int64_t row, int64_t version);
