#include "sessiond/keycheck.h"

#include <errno.h>
#include <inttypes.h>

#include <openssl/rand.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "sessiond/envelope.h"
#include "sessiond/fingerprint.h"

#define CHECK_MS  5000
#define MARGIN_MS 500 /* before the caller's deadline, so that it hears why */
#define TRIES     3   /* another sessiond may write its row between our look and our write */
#define LOCK      INT64_C(0x7374656164766c74) /* "steadvlt": one sessiond at a time makes a row */

static void finding_done(struct finding *f)
{
	f->salt = secret_free(f->salt);
}

void keycheck_free(struct keycheck *k)
{
	finding_done(&k->found);
}

static struct envelope_context context_of(int64_t key_id)
{
	return (struct envelope_context){ .user = "",
		.site = "",
		.fingerprint = "",
		.row = "key check",
		.kind = "salt",
		.account = "",
		.version = (uint64_t)key_id };
}

#define finding_trouble(f_, ...) words_set((f_)->trouble, sizeof((f_)->trouble), __VA_ARGS__)

static void check_key(
	const struct keycheck *k, const struct db_result *row, struct finding *f)
{
	CLEANUP(secret_freep) struct secret *salt = NULL;
	int64_t id = row_int(row, "key_id");
	struct envelope_context context = context_of(id);
	size_t n;
	const void *blob = row_bytes(row, "envelope", &n);
	int r;

	if (!masterkeys_get(k->keys, (uint32_t)id))
		return; /* retired: what is still under it says so when it is opened */
	r = envelope_open(k->keys, &context, blob, n, FINGERPRINT_SALT, &salt);
	if (r == -EKEYREJECTED)
		finding_trouble(f,
			"Master key %" PRId64
			" is not the key of that number that this database was written with; put "
			"the right key file back and restart sessiond.",
			id);
	else if (r < 0)
		finding_trouble(f, "The check of master key %" PRId64 " cannot be read: %s.", id,
			envelope_error(r));
	if (r < 0)
		return;
	f->current |= (uint32_t)id == masterkeys_current(k->keys);
	secret_free(f->salt);
	f->salt = TAKE(salt);
}

/* Reads the rows; in tx, or in a transaction of its own if that is NULL. */
static int keycheck_look(struct keycheck *k, struct db_tx *tx, int64_t deadline, struct finding *f)
{
	static const char sql[] = "SELECT key_id, envelope FROM vault.key_checks ORDER BY key_id";
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx ? tx_query(tx, &res, sql) : db_read(k->db, DB_SELF, deadline, &res, sql);

	if (r < 0)
		return r;
	while (!*f->trouble && db_next(res))
		check_key(k, res, f);
	if (!*f->trouble && !f->salt && db_rows(res) > 0)
		finding_trouble(f,
			"None of the %zu master keys at hand is one that this database was written "
			"with; put the right key file back and restart sessiond.",
			masterkeys_count(k->keys));
	return 0;
}

static int make_salt(struct secret **ret)
{
	CLEANUP(secret_freep) struct secret *salt = NULL;
	int r = secret_new(FINGERPRINT_SALT, &salt);

	if (r == 0 && RAND_priv_bytes(salt->data, FINGERPRINT_SALT) != 1)
		r = -EIO;
	if (r == 0)
		*ret = TAKE(salt);
	return r;
}

static int any_sessions(struct keycheck *k, int64_t deadline, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(k->db, DB_ROLE("stead_operator"), deadline, &res,
		"SELECT EXISTS (SELECT id FROM vault.sessions)");

	if (r < 0)
		return r;
	if (!db_next(res))
		return -EIO; /* EXISTS says true or false */
	*ret = row_bool(res, 0);
	return 0;
}

/*
 * Without a row any sessions there are were named under a salt that is gone. They are looked for first: a session that
 * another saved meanwhile, on the first start, comes after the row it was saved under.
 */
static int look_at_all(struct keycheck *k, int64_t deadline, struct finding *f)
{
	bool sessions;
	int r = any_sessions(k, deadline, &sessions);

	if (r == 0)
		r = keycheck_look(k, NULL, deadline, f);
	if (r == 0 && !*f->trouble && !f->salt && sessions)
		finding_trouble(f, "The table vault.key_checks is empty, but there are sessions; restore "
			   "it from a backup.");
	return r;
}

/* Adds the current key's row, unless another sessiond has done so since. */
static int add_row(struct keycheck *k, int64_t deadline)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	CLEANUP(finding_done) struct finding f = { 0 };
	CLEANUP(envelope_blob_free) struct envelope_blob blob = { 0 };
	int64_t id = masterkeys_current(k->keys);
	struct envelope_context context = context_of(id);
	int r = db_begin(k->db, DB_SELF, deadline, &tx);

	if (r == 0)
		r = tx_query(tx, NULL, "SELECT pg_advisory_xact_lock($1)", DB_INT(LOCK));
	if (r == 0)
		r = keycheck_look(k, tx, deadline, &f);
	if (r < 0 || *f.trouble || f.current)
		return r;
	if (!f.salt)
		r = make_salt(&f.salt);
	if (r == 0)
		r = envelope_seal(k->keys, &context, f.salt->data, f.salt->len, &blob);
	if (r < 0)
		return r;
	return db_commit_query(&tx, NULL,
		"INSERT INTO vault.key_checks (key_id, envelope) VALUES ($1, $2)", DB_INT(id),
		DB_BYTES(blob.data, blob.len));
}

static bool is_bad(const struct keycheck *k)
{
	return *k->found.trouble;
}

static bool is_good(const struct keycheck *k)
{
	return k->found.salt && !is_bad(k);
}

static void keycheck_settle(struct keycheck *k, struct finding *f)
{
	bool was_bad = is_bad(k), was_good = is_good(k);

	finding_done(&k->found);
	k->found = *f;
	f->salt = NULL;
	if (is_bad(k) && !was_bad)
		log_error("the vault refuses to work: %s", k->found.trouble);
	else if (is_good(k) && !was_good)
		log_info("the master keys are this database's own; new saves are under key %u",
			(unsigned)masterkeys_current(k->keys));
}

int keycheck_run(struct keycheck *k, int64_t deadline)
{
	int r;

	for (int try = 0; try < TRIES; try++) {
		CLEANUP(finding_done) struct finding f = { 0 };

		r = look_at_all(k, deadline, &f);
		if (r < 0)
			return r;
		if (*f.trouble || f.current) {
			keycheck_settle(k, &f);
			return 0;
		}
		r = add_row(k, deadline);
		if (r < 0 && r != -EEXIST && r != -EINPROGRESS)
			return r;
	}
	return r < 0 ? r : -EAGAIN;
}

const char *keycheck_trouble(const struct keycheck *k)
{
	return is_bad(k) ? k->found.trouble : NULL;
}

int keycheck_admit(struct keycheck *k, struct call *call)
{
	int r = 0;

	if (!is_good(k) && !is_bad(k))
		r = keycheck_run(
			k, deadline_min(call->deadline - MARGIN_MS, deadline_in(CHECK_MS)));
	if (r < 0)
		return r;
	if (is_good(k))
		return 0;
	return call_refuse(call, ERR_vault_refused, NULL,
		"The vault was started with a master key that is not its own, so it neither opens "
		"nor saves anything. Nothing was changed; an administrator has to put the right "
		"key back.");
}

const struct secret *keycheck_salt(const struct keycheck *k)
{
	return k->found.salt;
}
