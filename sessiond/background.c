#include "sessiond/background.h"

#include <inttypes.h>

#include "common/words.h"

int background_init(struct background *b, struct call *call, const char *site)
{
	struct keycheck *check = &sessiond_of(call)->check;
	int r = keycheck_admit(check, call);

	if (r == 0)
		r = fingerprint_background(
			keycheck_salt(check), call->acting.user, site, b->fingerprint);
	if (r < 0)
		return r;
	exact_must(b->user, sizeof(b->user), "%" PRId64, call->acting.user);
	b->row[0] = '\0';
	b->context = (struct envelope_context){ .user = b->user,
		.site = site,
		.fingerprint = b->fingerprint,
		.row = b->row,
		.kind = "background" };
	return 0;
}

void background_set(struct background *b, int64_t row, int64_t version)
{
	exact_must(b->row, sizeof(b->row), "%" PRId64, row);
	b->context.version = (uint64_t)version;
}
