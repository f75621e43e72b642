#include "sessiond/sighting.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "sessiond/sessiond.h"

#define OPERATOR DB_ROLE("stead_operator")
#define ROW_MS   20000
#define PAGE     1000

struct sight sighting_of(const struct db_result *row)
{
	return (struct sight){ row_int(row, "id"), row_int(row, "last_version"), row_int(row, "proved_version"),
		row_int(row, "newest_version") };
}

static bool same_sight(const struct sight *a, const struct sight *b)
{
	return a->last == b->last && a->proved == b->proved && a->newest == b->newest;
}

static int not_kept(int r, int64_t id)
{
	if (r < 0 && r != -ERANGE)
		log_error("what was seen of session %" PRId64 " could not be written down, so an older one in its place may not be noticed: %s",
			id, strerror(-r));
	return r;
}

void sighting_note(struct sessiond *s, const struct db_result *row)
{
	const struct sight seen = sighting_of(row);

	not_kept(marks_note(s->marks, &seen), seen.id);
}

void sighting_forget(struct sessiond *s, int64_t id)
{
	not_kept(marks_forget(s->marks, id), id);
}

static void tell(struct sessiond *s, const struct db_result *row, const struct sight *seen, int64_t deadline)
{
	int64_t user = row_int(row, "user_id"), last = marks_last(s->marks, seen->id);
	int r;

	if (!marks_tell(s->marks, seen->id))
		return;
	log_error("session %" PRId64 " (%s) was put back as it was: it is of version %" PRId64 ", the last that was seen is %" PRId64
		  ", and it may have been forgotten since; it is not used",
		seen->id, row_words(row, "site"), seen->newest ?: seen->proved, last);
	r = db_query(s->db, DB_USER(user), deadline, NULL,
		"INSERT INTO vault.audit (event, user_id, detail) VALUES ('session_put_back', $1, "
		"format('session %s (%s), version %s after %s', $2::bigint, $3::text, $4::bigint, $5::bigint))",
		DB_INT(user), DB_INT(seen->id), DB_TEXT(row_words(row, "site")), DB_INT(seen->newest ?: seen->proved), DB_INT(last));
	if (r < 0)
		log_error("that session %" PRId64 " was put back could not be written to the audit: %s", seen->id, db_error(s->db)->text);
}

void sighting_tell(struct sessiond *s, const struct db_result *row, int64_t deadline)
{
	const struct sight seen = sighting_of(row);

	tell(s, row, &seen, deadline);
}

static int read_again(struct sessiond *s, int64_t id, int64_t deadline, struct db_result **ret)
{
	int r = db_read(s->db, OPERATOR, deadline, ret, "SELECT " SIGHT ", user_id, site FROM vault.sessions WHERE id = $1", DB_INT(id));

	return r < 0 ? r : db_next(*ret) ? 0 : -ENOENT;
}

/*
 * A row that seems too old may only have been read before somebody saved: what is written is noted once it is committed, so
 * it is read again, and has been put back if it still is what it was.
 */
static int judge_again(struct sessiond *s, const struct sight *seen, int64_t deadline)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = read_again(s, seen->id, deadline, &res);
	struct sight now;

	if (r < 0)
		return r == -ENOENT ? SIGHT_STALE : r;
	now = sighting_of(res);
	if (!same_sight(seen, &now))
		return SIGHT_STALE;
	tell(s, res, &now, deadline);
	return SIGHT_PUT_BACK;
}

int sighting_judge(struct sessiond *s, const struct db_result *row, int64_t deadline)
{
	const struct sight seen = sighting_of(row);
	bool good = false;
	int r = marks_judge(s->marks, &seen, &good);

	if (r < 0)
		return not_kept(r, seen.id);
	if (!good)
		return judge_again(s, &seen, deadline);
	sighting_note(s, row);
	return SIGHT_GOOD;
}

static int read_page(struct sessiond *s, int64_t after, struct db_result **ret)
{
	return db_read(s->db, OPERATOR, deadline_in(ROW_MS), ret,
		"SELECT " SIGHT ", user_id, site, format FROM vault.sessions WHERE id > $1 ORDER BY id LIMIT $2", DB_INT(after), DB_INT(PAGE));
}

int sighting_each(struct sessiond *s, int (*fn)(struct sessiond *s, const struct db_result *row, void *arg), void *arg)
{
	int64_t after = 0;

	for (;;) {
		CLEANUP(db_result_freep) struct db_result *page = NULL;
		int r = read_page(s, after, &page);

		while (r == 0 && db_next(page)) {
			after = row_int(page, "id");
			r = fn(s, page, arg);
		}
		if (r < 0 || db_rows(page) < PAGE)
			return r;
	}
}

/* One look at all rows. */
struct check {
	int64_t last, gone; /* the number that was read last; sessions that have gone */
};

/*
 * Sessions between two rows of which there is none any more: another sessiond has forgotten them, or somebody at the database, or
 * this one did and was not told so. What was noted was committed before, so a row that is not there has been deleted since.
 */
static int check_gone(struct sessiond *s, struct check *c, int64_t before)
{
	for (int64_t id = marks_next(s->marks, c->last, before); id; id = marks_next(s->marks, id, before)) {
		CLEANUP(db_result_freep) struct db_result *res = NULL;
		int r = read_again(s, id, deadline_in(ROW_MS), &res);

		if (r < 0 && r != -ENOENT)
			return r;
		if (r == -ENOENT)
			sighting_forget(s, id);
		c->gone += r == -ENOENT;
	}
	return 0;
}

/* One that has become another meanwhile is of somebody who works with it, and looked at then. */
static int check_row(struct sessiond *s, const struct db_result *row, void *arg)
{
	struct check *c = arg;
	int64_t id = row_int(row, "id");
	int r = check_gone(s, c, id);

	c->last = id;
	if (r == 0)
		r = sighting_judge(s, row, deadline_in(ROW_MS));
	return r < 0 ? r : 0;
}

int sighting_check(struct sessiond *s)
{
	struct check c = { 0 };
	int r = sighting_each(s, check_row, &c);

	if (r == 0)
		r = check_gone(s, &c, INT64_MAX);
	if (c.gone > 0)
		log_notice("%" PRId64 " sessions are not there any more that were not forgotten here; from now on they are taken for forgotten",
			c.gone);
	return r;
}
