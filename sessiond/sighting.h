/*
 * Rows of sessions held against what was seen of them (marks.h): one that is older, or of a session that was forgotten, was
 * put back by somebody, or with a backup. That is told once, in the journal and the audit, and counted by steadctl status.
 */
#pragma once

#include "sessiond/marks.h"

struct call;
struct db_result;
struct sessiond;

/* What a statement must give of a row, beside user_id and site where it may have to be told of. */
#define SIGHT "id, last_version, version AS proved_version, newest_version"

struct sight sighting_of(const struct db_result *row);

/* The row was just written, or deleted. */
void sighting_note(struct sessiond *s, const struct db_result *row);
void sighting_forget(struct sessiond *s, int64_t id);

/*
 * A row that was read: whether it is what was seen last, or newer. SIGHT_STALE: it is another by now, so what was read of it
 * is of no use, and says nothing. An error of the database or of the file: it is not known.
 */
enum { SIGHT_GOOD, SIGHT_STALE, SIGHT_PUT_BACK };
int sighting_judge(struct sessiond *s, const struct db_result *row, int64_t deadline);

/* A row was put back, as whoever could not open it has found out. */
void sighting_tell(struct sessiond *s, const struct db_result *row, int64_t deadline);

/* Does fn with every row that there is: with SIGHT, user_id, site and format. Ends at the first error. */
int sighting_each(struct sessiond *s, int (*fn)(struct sessiond *s, const struct db_result *row, void *arg), void *arg);

/* All rows that there are, so that what was put back while nobody looked is told of; and what is not there any more. */
int sighting_check(struct sessiond *s);
