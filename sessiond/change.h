/* A session that was saved, changed its health or went, as PostgreSQL tells every sessiond of it on one channel. */
#pragma once

#include <stdint.h>

struct hub;

#define CHANGE_CHANNEL "vault_sessions"
#define CHANGE_MOST    10000 /* that one watcher holds */

struct change {
	int64_t user, version;
	char health[16];
	char site[65];
};

/* Reads "USER VERSION HEALTH SITE". -EINVAL. Pure; for tests too. */
int change_parse(const char *payload, struct change *ret);

/* Tells the watchers of a payload of the channel; one that cannot be read is ignored. NULL: something may have been missed. */
void change_tell(struct hub *h, const char *payload);
