/*
 * Pictures of pages, sealed for one person and job. Whoever asks keeps them, and has no key; the vault keeps nothing of
 * them, and looks into none. One that was sealed under a master key that has been retired since cannot be opened any more.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/memfd.h"
#include "common/words.h"
#include "sessiond/bound.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

#define PICTURE_MOST 8388608 /* as in proto/sessiond.def */
#define SEALED_MOST  8404992

/* No row of a session is of that kind, so neither can stand in the other's place. */
static void bind_picture(struct bound *b, const struct call *call, int64_t job)
{
	b->context = (struct envelope_context){ .site = "", .kind = "picture", .fingerprint = "", .account = "" };
	bound_set(b, call->acting.user, job, 0);
}

static int refuse_picture(struct call *call, int64_t job, int error)
{
	if (error == -EBUSY || error == -ETIMEDOUT || error == -ECANCELED)
		return error;
	log_error("the picture of job %" PRId64 " of user %" PRId64 " cannot be %s: %s", job, call->acting.user,
		error == -ENOMEM ? "sealed or opened" : "opened", envelope_error(error));
	return call_refuse(call, ERR_vault_refused, NULL,
		"The vault could not open the picture: it is damaged, or sealed under a key that is not there any more. Nothing was changed; an "
		"administrator finds the cause in the journal.");
}

static int map_picture(struct call *call, int fd, size_t most, const char *field, struct memfd_view *ret)
{
	int r = keycheck_admit(&sessiond_of(call)->check, call);

	if (r == 0)
		r = memfd_map(fd, most, ret);
	if (r == 0 || r == REFUSED)
		return r;
	return call_refuse(call, ERR_invalid, field, "The picture could not be read: %s.", memfd_error(r));
}

int picture_seal(struct call *call, const struct picture_seal_params *params, struct picture_seal_result *result)
{
	CLEANUP(envelope_blob_free) struct envelope_blob blob = { 0 };
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	struct bound b;
	int r = map_picture(call, params->picture, PICTURE_MOST, "picture", &view);

	if (r < 0)
		return r;
	bind_picture(&b, call, params->job);
	r = crypt_seal(sessiond_of(call), &b.context, view.data, view.size, call->deadline, &blob);
	return r < 0 ? refuse_picture(call, params->job, r) : memfd_new("sealed picture", blob.data, blob.len, &result->sealed);
}

int picture_open(struct call *call, const struct picture_open_params *params, struct picture_open_result *result)
{
	CLEANUP(secret_freep) struct secret *picture = NULL;
	CLEANUP(memfd_unmap) struct memfd_view view = { 0 };
	struct bound b;
	int r = map_picture(call, params->sealed, SEALED_MOST, "sealed", &view);

	if (r < 0)
		return r;
	bind_picture(&b, call, params->job);
	r = crypt_open(sessiond_of(call), &b.context, view.data, view.size, call->deadline, &picture);
	return r < 0 ? refuse_picture(call, params->job, r) : memfd_new("picture", picture->data, picture->len, &result->picture);
}
