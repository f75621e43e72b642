#include "sessiond/bound.h"

#include <inttypes.h>

#include "common/words.h"

void bound_set(struct bound *b, int64_t user, int64_t row, int64_t version)
{
	exact_must(b->user, sizeof(b->user), "%" PRId64, user);
	exact_must(b->row, sizeof(b->row), "%" PRId64, row);
	b->context.user = b->user;
	b->context.row = b->row;
	b->context.version = (uint64_t)version;
}

void bound_of(struct bound *b, const struct db_result *row)
{
	b->context = (struct envelope_context){ .site = row_words(row, "site"),
		.kind = row_words(row, "kind"),
		.fingerprint = row_words(row, "fingerprint"),
		.account = row_words(row, "account"),
		.proved_at_ms = row_null(row, "proof_at") ? 0 : (uint64_t)row_time(row, "proof_at") };
	bound_set(b, row_int(row, "user_id"), row_int(row, "id"), row_int(row, "version"));
}

void bound_newest(struct bound *b, int64_t version)
{
	b->context.version = (uint64_t)version;
	b->context.proved_at_ms = 0;
}
