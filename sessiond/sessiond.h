/* What the vault's handlers share: its database, its keys, and who watches. */
#pragma once

#include "db/db.h"
#include "proto/call.h"
#include "sessiond/crypt.h"
#include "common/hub.h"
#include "sessiond/keycheck.h"
#include "sessiond/settings.h"

struct sessiond;

/*
 * Locks memory, reads the master keys and prepares the database, which need not answer yet. The
 * settings are borrowed. A negative errno after saying why in the log.
 */
int sessiond_new(const struct sessiond_settings *settings, struct sessiond **ret);

/* Takes NULL, returns NULL. */
struct sessiond *sessiond_free(struct sessiond *s);
void sessiond_freep(struct sessiond **s);

/*
 * Accepts callers of that role on the socket of that name; user is the setting that says who. Says
 * why it fails.
 */
int sessiond_listen(struct sessiond *s, const char *name, enum role role, const char *user);

/* On SIGTERM, in a fiber: lets what is under way end. */
void sessiond_stop(void *s);

struct db *sessiond_db(struct sessiond *s);
struct crypt *sessiond_crypt(struct sessiond *s);
struct keycheck *sessiond_keycheck(struct sessiond *s);
struct hub *sessiond_hub(struct sessiond *s);

/* Whether what changes from now on is told: whoever watches before is behind once it is. */
bool sessiond_listens(const struct sessiond *s);

/*
 * Until when a call may wait for the database: early enough that its caller still hears the answer.
 */
int64_t sessiond_deadline(const struct call *call);
