/*
 * Saving a session: one version, whole, or nothing. What was proved takes the place of all there was; what a browser only
 * left behind is put beside what was proved.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memfd.h"
#include "common/words.h"
#include "sessiond/bound.h"
#include "sessiond/devices.h"
#include "sessiond/fingerprint.h"
#include "sessiond/handlers.h"
#include "sessiond/name.h"
#include "sessiond/marks.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

#define TRIES      8    /* two first saves at once, or a COMMIT whose answer was lost */
#define MARGIN_MS  1000 /* a proven session is worth waiting for nearly as long as its caller */
#define SAVES_KEPT "1 day"

/* One save, across its tries. */
struct saving {
	struct call *call;
	const struct session_store_params *params;
	struct session_name name;
	char fingerprint[65]; /* the session's own */
	bool protected;       /* the background session */
	struct memfd_view state;
	int64_t deadline;
	int64_t id, version; /* what this try makes, or what was made already */
	bool new_row, already, again; /* again: this is not the first try */
};

/* What the row says before the save, once nobody else is saving. No row: nothing. */
static int store_look(struct saving *s, struct db_tx *tx, struct db_result **ret)
{
	return tx_query(tx, ret,
		"SELECT " SIGHT ", last_version AS version, user_id, site, account, lease_token, protected, fingerprint "
		"FROM vault.sessions WHERE " NAMED " FOR UPDATE", NAME_ARGS(s->call, &s->name));
}

/*
 * Whether this very save was made already. A statement of its own: one that has waited for the row's lock still sees
 * every other table as it was when it began.
 */
static int look_already(struct saving *s, struct db_tx *tx)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = tx_query(tx, &res, "SELECT version FROM vault.saves WHERE session_id = $1 AND save = $2",
		DB_INT(s->id), DB_TEXT(s->params->save));

	if (r < 0)
		return r;
	s->already = db_next(res);
	if (s->already)
		s->version = row_int(res, "version");
	return 0;
}

static int refuse_gone(struct saving *s)
{
	return call_refuse(s->call, ERR_conflict, "replaces",
		"The session for %s that this grew from has been deleted; sign in to the site "
		"again.",
		s->params->site);
}

/* Whoever uses the session would act for somebody else from now on: only in place of whom the person was shown. */
static int compare_account(struct saving *s, const struct db_result *row)
{
	const struct session_store_params *p = s->params;
	const char *stored = row_words(row, "account");

	if (strcmp(p->account, stored) == 0 || (p->in_place_of && strcmp(p->in_place_of, stored) == 0))
		return 0;
	return call_refuse(s->call, ERR_conflict, "account",
		"The session that is kept for %s is the one of %s, and this one is of %s; nothing "
		"was replaced.",
		p->site, BRIEF(200, stored), BRIEF(200, p->account));
}

/* Whether what is stored is still what this save grew from. */
static int compare_grown(struct saving *s, const struct db_result *row)
{
	const struct session_store_params *p = s->params;
	int64_t version = row_int(row, "version");

	if (p->session && p->session != row_int(row, "id"))
		return refuse_gone(s);
	if (version != p->replaces)
		return call_refuse(s->call, ERR_conflict, "replaces",
			"Version %" PRId64 " of the session for %s was saved in the meantime, so "
			"what grew from version %" PRId64 " was not; fetch it again and go on from "
			"there.",
			version, p->site, p->replaces);
	if (p->token && p->token != row_int(row, "lease_token")) /* whoever takes it makes it grow */
		return call_refuse(s->call, ERR_conflict, "token",
			"The lease on the session for %s ended before this save, and another has taken "
			"it since; take a new lease and fetch the session again.",
			p->site);
	return 0;
}

static int refuse_another_device(struct saving *s, int64_t most)
{
	return call_refuse(s->call, ERR_conflict, "fingerprint",
		"There are %" PRId64 " sessions of your devices already, and there may be no more; forget one of them.", most);
}

/* What a new row is: the background session, whose name is the vault's own, or a device's. */
static int new_fingerprint(struct saving *s)
{
	s->protected = !name_is_device(&s->name);
	if (s->protected)
		return fingerprint_background(keycheck_salt(&sessiond_of(s->call)->check), s->call->acting.user, s->params->site,
			s->fingerprint);
	exact_must(s->fingerprint, sizeof(s->fingerprint), "%s", s->name.fingerprint);
	return 0;
}

static int new_row(struct saving *s, struct db_tx *tx)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t most = sessiond_of(s->call)->settings->most_devices;
	int r = new_fingerprint(s);

	if (r == 0)
		r = tx_query(tx, &res, "SELECT nextval('vault.session_ids') AS id, "
			"(SELECT count(*) FROM vault.sessions WHERE user_id = $1 AND kind = 'device') AS devices",
			DB_INT(s->call->acting.user));
	if (r < 0)
		return r;
	if (!db_next(res))
		return -EIO;
	if (!s->protected && row_int(res, "devices") >= most)
		return refuse_another_device(s, most);
	s->id = row_int(res, "id");
	s->version = marks_last(sessiond_of(s->call)->marks, s->id) + 1; /* a restored database gives numbers anew */
	s->new_row = true;
	return 0;
}

/* Nothing grows from what somebody has put back; a new sign-in puts it right. */
static int compare_sight(struct saving *s, const struct db_result *row)
{
	int r = sighting_judge(sessiond_of(s->call), row, s->deadline);

	if (r != SIGHT_PUT_BACK)
		return r == SIGHT_STALE ? -EDEADLK : r;
	return call_refuse(s->call, ERR_conflict, "replaces",
		"The session for %s is older than what was saved last: somebody has put it back, so nothing was saved; sign in to the site again.",
		s->params->site);
}

static int store_compare(struct saving *s, const struct db_result *row)
{
	int r = s->params->replaces ? compare_grown(s, row) : 0;

	if (r == 0 && s->params->replaces)
		r = compare_sight(s, row);
	return r < 0 ? r : compare_account(s, row);
}

/* None is given twice, also where an older row was put back: that is how a new sign-in puts it right. */
static int64_t next_version(const struct saving *s, int64_t last)
{
	int64_t seen = marks_last(sessiond_of(s->call)->marks, s->id);

	return (seen > last ? seen : last) + 1;
}

/*
 * Whether it was made already is looked at where it seems to come too late, which it then does after itself, and where it is
 * tried again: of two at once the database refuses the second by its name. compared: what the comparison said.
 */
static int store_settle(struct saving *s, struct db_tx *tx, int compared)
{
	int r = look_already(s, tx);

	return r < 0 || s->already ? r : compared;
}

/* Decides what this try makes; takes the row's lock until the transaction ends. */
static int store_decide(struct saving *s, struct db_tx *tx)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = store_look(s, tx, &res);

	s->new_row = s->already = false;
	if (r < 0)
		return r;
	if (!db_next(res))
		return s->params->replaces ? refuse_gone(s) : new_row(s, tx);
	s->id = row_int(res, "id");
	s->protected = row_bool(res, "protected");
	exact_must(s->fingerprint, sizeof(s->fingerprint), "%s", row_words(res, "fingerprint"));
	s->version = next_version(s, row_int(res, "version"));
	r = store_compare(s, res);
	return r == 0 && !s->again ? 0 : store_settle(s, tx, r);
}

static const char *kind_of(const struct saving *s)
{
	return s->protected ? "background" : "device";
}

static int store_seal(struct saving *s, struct envelope_blob *ret)
{
	struct bound b = { .context = { .site = s->params->site, .kind = kind_of(s), .fingerprint = s->fingerprint,
		.account = s->params->account, .proved_at_ms = (uint64_t)s->params->proved_at_ms } };
	int r;

	bound_set(&b, s->call->acting.user, s->id, s->version);
	r = crypt_seal(sessiond_of(s->call), &b.context, s->state.data, s->state.size, s->deadline, ret);
	if (r != -ENOMEM && r != -EIO && r != -ENOKEY)
		return r;
	log_error("cannot seal version %" PRId64 " of session %" PRId64 " (%zu bytes): %s",
		s->version, s->id, s->state.size, envelope_error(r));
	return call_refuse(s->call, ERR_vault_refused, NULL,
		"The vault could not encrypt the session for %s, so it was not saved; what was "
		"saved before is untouched. An administrator finds the cause in the journal.",
		s->params->site);
}

/* Each write also keeps the save's name, whatever else it is: $1 session, $2 name, $3 user, $4 version. */
#define SAVE                                                                                        \
	"WITH old AS (DELETE FROM vault.saves WHERE session_id = $1 AND saved_at < now() - interval '" SAVES_KEPT "'), " \
	"name AS (INSERT INTO vault.saves (session_id, save, user_id, version, saved_at) VALUES ($1, $2, $3, $4, now())) "
#define SAVE_ARGS(s_) \
	DB_INT((s_)->id), DB_TEXT((s_)->params->save), DB_INT((s_)->call->acting.user), DB_INT((s_)->version)

static int store_insert(struct saving *s, struct db_tx **tx, const struct envelope_blob *blob, int64_t key, struct db_result **ret)
{
	return db_commit_query(tx, ret,
		SAVE "INSERT INTO vault.sessions (id, user_id, site, kind, fingerprint, account, "
		"version, last_version, health, protected, saved_at, proved_at, proof_at, signed_in_at, key_id, envelope, format) "
		"VALUES ($1, $3, $5, $6, $7, $8, $4, $4, 'working', $9, $10, $11, $11, $11, $12, $13, 2) RETURNING " SIGHT,
		SAVE_ARGS(s), DB_TEXT(s->params->site), DB_TEXT(kind_of(s)), DB_TEXT(s->fingerprint), DB_TEXT(s->params->account),
		DB_BOOL(s->protected), DB_TIME(wall_now()), DB_TIME(s->params->proved_at_ms), DB_INT(key),
		DB_BYTES(blob->data, blob->len));
}

/* A new sign-in begins another life; its proof is the first that is known of it. */
static int update_proved(struct saving *s, struct db_tx **tx, const struct envelope_blob *blob, int64_t key, struct db_result **ret)
{
	return db_commit_query(tx, ret,
		SAVE "UPDATE vault.sessions SET account = $5, version = $4, last_version = $4, health = 'working', "
		"reason = NULL, saved_at = $6, " USED ", proved_at = $7, proof_at = $7, key_id = $8, envelope = $9, format = 2, "
		"newest_version = NULL, newest_at = NULL, newest_key_id = NULL, newest_envelope = NULL, "
		"signed_in_at = CASE WHEN $10 THEN $7 ELSE signed_in_at END WHERE id = $1 RETURNING " SIGHT,
		SAVE_ARGS(s), DB_TEXT(s->params->account), DB_TIME(wall_now()), DB_TIME(s->params->proved_at_ms), DB_INT(key),
		DB_BYTES(blob->data, blob->len), DB_BOOL(!s->params->replaces));
}

/* How the session is says whoever used it (health.c); this only keeps what it left. */
static int update_newest(struct saving *s, struct db_tx **tx, const struct envelope_blob *blob, int64_t key, struct db_result **ret)
{
	return db_commit_query(tx, ret,
		SAVE "UPDATE vault.sessions SET last_version = $4, newest_version = $4, newest_at = $5, " USED ", "
		"newest_key_id = $6, newest_envelope = $7 WHERE id = $1 RETURNING " SIGHT,
		SAVE_ARGS(s), DB_TIME(wall_now()), DB_INT(key), DB_BYTES(blob->data, blob->len));
}

/* Commits it. ret: what the row is then. */
static int store_write(struct saving *s, struct db_tx **tx, const struct envelope_blob *blob, int64_t key, struct db_result **ret)
{
	if (s->new_row)
		return store_insert(s, tx, blob, key, ret);
	return s->params->proved_at_ms ? update_proved(s, tx, blob, key, ret) : update_newest(s, tx, blob, key, ret);
}

static int store_save_once(struct saving *s)
{
	CLEANUP(tx_freep) struct db_tx *tx = NULL;
	CLEANUP(db_result_freep) struct db_result *row = NULL;
	CLEANUP(envelope_blob_free) struct envelope_blob blob = { 0 };
	int64_t key = masterkeys_current(sessiond_of(s->call)->keys);
	int r = db_begin(sessiond_of(s->call)->db, DB_USER(s->call->acting.user), s->deadline, &tx);

	if (r == 0)
		r = store_decide(s, tx);
	if (r < 0 || s->already)
		return r;
	r = store_seal(s, &blob);
	if (r == 0)
		r = store_write(s, &tx, &blob, key, &row);
	if (r == 0 && db_next(row))
		sighting_note(sessiond_of(s->call), row);
	return r;
}

static bool worth_trying(int r)
{
	return r == -EDEADLK || r == -EEXIST || r == -EINPROGRESS || r == -ENOTCONN;
}

/*
 * Tries again what certainly or perhaps had no effect. The name of the save makes that safe: a try
 * that was kept after all is found by the next one, which waits for its locks.
 */
static int store_save(struct saving *s)
{
	bool doubt = false;
	int r = -EDEADLK;

	for (int try = 0; try < TRIES && worth_trying(r); try++) {
		if (r == -ENOTCONN && loop_now() >= s->deadline)
			break;
		r = store_save_once(s);
		s->again = true;
		doubt |= r == -EINPROGRESS;
	}
	if (r >= 0 || !doubt || r == REFUSED || r == -ECANCELED)
		return r;
	log_warning("the database was lost while a session for %s was being saved; whether it was "
		    "kept is not known",
		s->params->site);
	return call_refuse(s->call, ERR_maybe_done, NULL,
		"The database was lost while the session for %s was being saved, so it is not "
		"known whether it was; repeat the same save under the same name.",
		s->params->site);
}

static int check_params(struct saving *s)
{
	if ((s->params->token || s->params->session) && !s->params->replaces)
		return call_refuse(s->call, ERR_invalid, s->params->token ? "token" : "session",
			"A lease's token and a session's number go with \"replaces\", the version that the session grew "
			"from; give that as well or neither.");
	if (!s->params->proved_at_ms && !s->params->replaces)
		return call_refuse(s->call, ERR_invalid, "proved_at_ms",
			"A new sign-in is kept only once it has been proved; what was not is kept beside an older version, "
			"which \"replaces\" names.");
	if (s->params->in_place_of && !s->params->proved_at_ms)
		return call_refuse(s->call, ERR_invalid, "in_place_of",
			"Only a session that has been proved takes another account's place.");
	if (s->params->in_place_of && s->call->role == ROLE_BOT)
		return call_refuse(s->call, ERR_invalid, "in_place_of",
			"A bot cannot put one account's session in the place of another's: only the person can, in a sign-in.");
	return 0;
}

static int store_begin(struct saving *s)
{
	int r = check_params(s);

	if (r == 0)
		r = name_check(s->call, &s->name);
	if (r == 0)
		r = keycheck_admit(&sessiond_of(s->call)->check, s->call);
	if (r < 0)
		return r;
	r = memfd_map(s->params->state, SESSION_MAX, &s->state);
	if (r < 0)
		return call_refuse(s->call, ERR_invalid, "state",
			"The session could not be read: %s.", memfd_error(r));
	return 0;
}

int session_store(struct call *call, const struct session_store_params *params,
	struct session_store_result *result)
{
	struct saving s = {
		.call = call, .params = params, .name = NAME_OF(params), .deadline = call->deadline - MARGIN_MS
	};
	int r = store_begin(&s);

	if (r == 0)
		r = store_save(&s);
	size_t size = s.state.size;
	memfd_unmap(&s.state);
	if (r < 0)
		return r;
	if (s.already)
		log_info("session %" PRId64
			 " (%s): the save was there already, as version %" PRId64,
			s.id, params->site, s.version);
	else
		log_info("session %" PRId64 " (%s) saved as version %" PRId64 ", %s, %zu bytes", s.id,
			params->site, s.version, params->proved_at_ms ? "proved" : "unproved", size);
	*result = (struct session_store_result){ .id = s.id, .version = s.version };
	return 0;
}
