/* Telling botd of every change, so that a job that waits for a sign-in goes on by itself. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "sessiond/change.h"
#include "sessiond/handlers.h"
#include "sessiond/sessiond.h"

#define READ_MS 10000
#define PAGE    500

/*
 * One page of what there is, of all persons: metadata only, which is all that stead_operator may
 * read.
 */
static int watch_read_page(struct call *call, int64_t after, bool working_only, struct db_result **ret)
{
	return db_read(sessiond_of(call)->db, DB_ROLE("stead_operator"), deadline_in(READ_MS),
		ret,
		"SELECT id, user_id, site, last_version AS version, health FROM vault.sessions "
		"WHERE id > $1 AND kind = 'background' AND (health = 'working' OR NOT $2) "
		"ORDER BY id LIMIT $3",
		DB_INT(after), DB_BOOL(working_only), DB_INT(PAGE));
}

/* *after is then the last of the page. */
static int send_page(struct call *call, struct db_result *page, int64_t *after)
{
	int r = 0;

	while (r == 0 && db_next(page)) {
		struct session_watch_item item = { .user = row_int(page, "user_id"),
			.site = row_words(page, "site"),
			.version = row_int(page, "version"),
			.health = row_words(page, "health") };

		*after = row_int(page, "id");
		r = send_session_watch(call, &item);
	}
	return r;
}

/* What changes meanwhile is held by the watcher and sent afterwards. */
static int send_all(struct call *call, bool working_only)
{
	int64_t after = 0;

	for (;;) {
		CLEANUP(db_result_freep) struct db_result *page = NULL;
		int r = watch_read_page(call, after, working_only, &page);

		if (r == 0)
			r = send_page(call, page, &after);
		if (r < 0 || db_rows(page) < PAGE)
			return r;
	}
}

static int send_change(struct call *call, const struct change *c)
{
	struct session_watch_item item = {
		.user = c->user, .site = c->site, .version = c->version, .health = c->health
	};

	return send_session_watch(call, &item);
}

int session_watch(struct call *call, const struct session_watch_params *)
{
	CLEANUP(watcher_freep) struct watcher *w = watcher_new(sessiond_of(call)->hub, NULL);
	bool first = !sessiond_of(call)->listening;
	int r = first ? 0 : send_all(call, true);

	while (r == 0) {
		struct change c;

		r = watcher_next(w, NULL, &c, NEVER);
		if (r == 0) {
			r = send_change(call, &c);
		} else if (r == -ESTALE) {
			r = send_all(call, first);
			first = false;
		}
	}
	if (r == -ESHUTDOWN)
		return call_refuse(
			call, ERR_unavailable, NULL, "sessiond ends; watch again in a moment.");
	return r;
}
