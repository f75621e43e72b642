/* What the vault does by itself, in turn: once the database answers, whenever it comes back, and every hour. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/latch.h"

struct fiber;
struct sessiond;

struct upkeep {
	bool running;
	struct fiber *fiber; /* once it runs */
	struct latch wanted;
	bool again; /* wanted since it last began */
	int64_t unsealed; /* sessions that could not be sealed anew when that was last tried (reseal.c) */
};

/* Begins; it waits for upkeep_want(). */
void upkeep_start(struct sessiond *s);

/* Now, or once more if it is under way. */
void upkeep_want(struct sessiond *s);

/* Ends it, wherever it is: what is left is done the next time. */
void upkeep_end(struct sessiond *s);
