/* The LISTEN connection (private to db/; db_listen() is in db.h). */
#pragma once

#include <stdbool.h>

struct listener;

/* Takes NULL, returns NULL. */
struct listener *listener_free(struct listener *l);

/* All its channels are being listened to; false for NULL. */
bool listener_listening(const struct listener *l);
