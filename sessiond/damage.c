#include "sessiond/damage.h"

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "sessiond/sessiond.h"
#include "sessiond/sighting.h"

bool is_damage(int error)
{
	return error == -EBADMSG || error == -EKEYREJECTED || error == -EFBIG;
}

int damage_drop_newest(struct sessiond *s, const struct db_result *row, int64_t version, int error, int64_t deadline)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t id = row_int(row, "id");
	int r = db_query(s->db, DB_USER(row_int(row, "user_id")), deadline, &res,
		"UPDATE vault.sessions SET newest_version = NULL, newest_at = NULL, newest_key_id = NULL, "
		"newest_envelope = NULL WHERE id = $1 AND newest_version = $2 RETURNING " SIGHT, DB_INT(id), DB_INT(version));

	log_error("session %" PRId64 " version %" PRId64 " (%s) cannot be opened: %s; the state that was proved before it is used",
		id, version, row_words(row, "site"), envelope_error(error));
	if (r == 0 && db_next(res))
		sighting_note(s, res);
	return r;
}

/* format: what is of no use needs no sealing anew (reseal.c). */
void damage_mark(struct sessiond *s, const struct db_result *row, int64_t deadline)
{
	int64_t id = row_int(row, "id");
	int r = db_query(s->db, DB_USER(row_int(row, "user_id")), deadline, NULL,
		"UPDATE vault.sessions SET format = 2, "
		"reason = CASE WHEN health IN ('working', 'unproved', 'site_down') THEN $3 ELSE reason END, "
		"health = CASE WHEN health IN ('working', 'unproved', 'site_down') THEN 'needs_sign_in' ELSE health END "
		"WHERE id = $1 AND version = $2",
		DB_INT(id), DB_INT(row_int(row, "version")),
		DB_TEXT("The vault could not open what it saved; sign in to the site again."));

	if (r < 0)
		log_warning("could not mark session %" PRId64 " as damaged: %s", id, db_error(s->db)->text);
}
