/* What is of the pool and of its listener at once. */
#include "db/db.h"

#include <stddef.h>

#include "db/listen.h"
#include "db/pool.h"

struct db *db_free(struct db *db)
{
	if (!db)
		return NULL;
	listener_free(*pool_listener(db));
	pool_free(db);
	return NULL;
}

void db_freep(struct db **db)
{
	*db = db_free(*db);
}

void db_status(const struct db *db, struct db_status *ret)
{
	pool_status(db, ret);
	ret->listening = listener_listening(*pool_listener(db));
}
