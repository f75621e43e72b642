#include "sessiond/reseal.h"

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "sessiond/bound.h"
#include "sessiond/damage.h"
#include "sessiond/marks.h"
#include "sessiond/sessiond.h"

#define REWRAPPER DB_ROLE("stead_rewrapper")
#define ROW_MS    20000

/*
 * The next session that nobody has leased or is writing. Its row is held until it is sealed, which is as good as a lease:
 * nobody gets one meanwhile. It is not taken as one, for whoever slept through their own may take that up again, unless
 * another had it.
 */
#define NEXT                                                                                        \
	"SELECT id, user_id, site, kind, fingerprint, account, version, proof_at, key_id, envelope, newest_version, newest_key_id, " \
	"newest_envelope FROM vault.sessions WHERE format = 1 AND id > $1 "                         \
	"AND (lease_until IS NULL OR lease_until <= clock_timestamp()) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"

/* One of a session's two states, on its way. */
struct sealed {
	struct envelope_blob blob; /* empty: there is none such, or it is of the newest format as it is */
	int64_t key;
};

static int seal_anew(struct sessiond *s, const struct bound *b, const void *blob, size_t n, struct sealed *ret)
{
	CLEANUP(secret_freep) struct secret *state = NULL;
	int r = crypt_open(s, &b->context, blob, n, deadline_in(ROW_MS), &state);

	ret->key = masterkeys_current(s->keys);
	return r < 0 ? r : crypt_seal(s, &b->context, state->data, state->len, deadline_in(ROW_MS), &ret->blob);
}

static int reseal_state(struct sessiond *s, const struct db_result *row, bool newest, struct sealed *ret)
{
	struct bound b;
	size_t n;
	const void *blob = row_bytes(row, newest ? "newest_envelope" : "envelope", &n);

	ret->key = row_int(row, newest ? "newest_key_id" : "key_id");
	if (!blob || envelope_format(blob, n) == ENVELOPE_FORMAT)
		return 0;
	bound_of(&b, row);
	if (newest)
		bound_newest(&b, row_int(row, "newest_version"));
	return seal_anew(s, &b, blob, n, ret);
}

static int reseal_write(struct db_tx **tx, int64_t id, const struct sealed *proved, const struct sealed *newest)
{
	return db_commit_query(tx, NULL,
		"UPDATE vault.sessions SET format = 2, key_id = $2, envelope = COALESCE($3, envelope), "
		"newest_key_id = CASE WHEN newest_version IS NOT NULL THEN $4::bigint END, newest_envelope = COALESCE($5, newest_envelope) "
		"WHERE id = $1",
		DB_INT(id), DB_INT(proved->key), DB_BYTES(proved->blob.data, proved->blob.len), DB_INT(newest->key),
		DB_BYTES(newest->blob.data, newest->blob.len));
}

/*
 * What cannot be opened is nobody's any more: it does not keep the old format alive. Without a key, or memory, it is looked
 * at again. 1: the newest state was dropped, and the proved one is to be sealed yet.
 */
static int reseal_failed(struct sessiond *s, const struct db_result *row, bool newest, int error)
{
	int r;

	if (error == -EBUSY || error == -ETIMEDOUT || error == -ECANCELED)
		return error;
	if (newest && is_damage(error)) {
		r = damage_drop_newest(s, row, row_int(row, "newest_version"), error, deadline_in(ROW_MS));
		return r < 0 ? r : 1;
	}
	log_debug("session %" PRId64 " (%s) cannot be sealed in format 2: %s", row_int(row, "id"), row_words(row, "site"),
		envelope_error(error));
	if (!is_damage(error))
		return -EAGAIN;
	log_error("session %" PRId64 " (%s) cannot be opened, so it is not sealed in format 2 either: %s", row_int(row, "id"),
		row_words(row, "site"), envelope_error(error));
	damage_mark(s, row, deadline_in(ROW_MS));
	return 0;
}

static int reseal_row(struct sessiond *s, struct db_tx **tx, const struct db_result *row)
{
	struct sealed proved = { 0 }, newest = { 0 };
	int r = reseal_state(s, row, true, &newest), first = r;

	if (r == 0)
		r = reseal_state(s, row, false, &proved);
	if (r == 0)
		r = reseal_write(tx, row_int(row, "id"), &proved, &newest);
	else {
		db_rollback(tx);
		r = reseal_failed(s, row, first < 0, r);
	}
	envelope_blob_free(&proved.blob);
	envelope_blob_free(&newest.blob);
	return r;
}

/* 1: there was one; -EAGAIN: there was, and it is left for later. *after is its number then. */
static int reseal_next(struct sessiond *s, int64_t *after)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_begin(s->db, REWRAPPER, deadline_in(ROW_MS), &tx);

	if (r == 0)
		r = tx_query(tx, &res, NEXT, DB_INT(*after));
	if (r < 0 || !db_next(res))
		return r;
	*after = row_int(res, "id");
	r = reseal_row(s, &tx, res);
	*after -= r == 1;
	return r < 0 ? r : 1;
}

static int any_left(struct sessiond *s, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(s->db, REWRAPPER, deadline_in(ROW_MS), &res, "SELECT EXISTS (SELECT FROM vault.sessions WHERE format = 1)");

	if (r < 0)
		return r;
	*ret = !db_next(res) || row_bool(res, 0);
	return 0;
}

static int end_format_1(struct sessiond *s)
{
	bool left;
	int r = any_left(s, &left);

	if (r < 0 || left)
		return r < 0 ? r : -EAGAIN;
	r = marks_set_oldest_format(s->marks, ENVELOPE_FORMAT);
	if (r == 0)
		log_notice("all sessions are sealed in format 2; what is in format 1 is taken no more");
	else
		log_error("that format 1 has ended could not be written down: %s", envelope_error(r));
	return r;
}

/* Said when it changes, for it is tried again every minute. */
static void say_unsealed(struct sessiond *s, int64_t count)
{
	if (count > 0 && count != s->upkeep.unsealed)
		log_warning("%" PRId64 " sessions cannot be sealed in format 2 yet, so format 1 does not end: the master keys that they are under "
			    "are not loaded, or no more memory may be locked; \"steadctl vault rewrap\" names each", count);
	s->upkeep.unsealed = count;
}

int reseal_all(struct sessiond *s)
{
	int64_t after = 0, count = 0, unsealed = 0;
	int r = marks_oldest_format(s->marks) < ENVELOPE_FORMAT;

	if (r == 0)
		return 0;
	while (r == 1 || r == -EAGAIN) {
		int64_t before = after;

		r = reseal_next(s, &after);
		count += r == 1 && after > before;
		unsealed += r == -EAGAIN;
		if (r == -EAGAIN && after == before)
			break;
	}
	say_unsealed(s, unsealed);
	if (count > 0)
		log_info("sealed %" PRId64 " sessions in format 2", count);
	return r < 0 ? r : end_format_1(s);
}
