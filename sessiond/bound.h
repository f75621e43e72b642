/* What the envelope of a session's state is bound to: the row in which it stands. */
#pragma once

#include "db/db.h"
#include "sessiond/envelope.h"

struct bound {
	char user[24], row[24]; /* in decimal */
	struct envelope_context context; /* points into this struct, which must not move, and to what the row has */
};

/* The numbers of it; what else is in the context is set by the caller. */
void bound_set(struct bound *b, int64_t user, int64_t row, int64_t version);

/* Of a row with id, user_id, site, kind, fingerprint, account and the state's version and proof_at (NULL: unproved); borrowed. */
void bound_of(struct bound *b, const struct db_result *row);

/* Of the newest state beside it, which is unproved. */
void bound_newest(struct bound *b, int64_t version);
