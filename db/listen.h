/* The LISTEN connection (private to db/; db_listen() is in db.h). */
#ifndef STEAD_DB_LISTEN_H
#define STEAD_DB_LISTEN_H

#include <stdbool.h>

struct listener;

/* Takes NULL, returns NULL. */
struct listener *listener_free(struct listener *l);

/* All its channels are being listened to; false for NULL. */
bool listener_listening(const struct listener *l);

#endif
