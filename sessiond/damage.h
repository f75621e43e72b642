/* States that cannot be opened. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct db_result;
struct sessiond;

/*
 * Of an error of crypt_open(): damage stays until somebody signs in again; a missing key, too little memory, or a format
 * that is not known, or not any more, is the operator's to mend.
 */
bool is_damage(int error);

/* A newest state, of that version, that cannot be opened is none: the proved one is there. The row: id, user_id, site. */
int damage_drop_newest(struct sessiond *s, const struct db_result *row, int64_t version, int error, int64_t deadline);

/*
 * The proved state; the row with its version: so that the person sees it on the dashboard, not only in a job's log. Fails
 * silently: what was wanted is refused anyway.
 */
void damage_mark(struct sessiond *s, const struct db_result *row, int64_t deadline);
