/*
 * How a caller names a session: by its number, or by site, kind and fingerprint. A site alone means its background session, whose
 * fingerprint nobody names from outside.
 */
#pragma once

#include <stdint.h>

#include "proto/call.h"

#define NAME_RESERVED "bg-" /* how fingerprints of background sessions begin, and no others */

struct session_name {
	int64_t session; /* 0: by the others */
	const char *site, *kind, *fingerprint;
};

/* From the params of a row with SESSION_NAMED, or SESSION_KIND and a site (proto/sessiond.def). */
#define NAME_OF(params) \
	((struct session_name){ (params)->session, (params)->site, (params)->kind, (params)->fingerprint })

/* 0, or refuses a name that is none. */
int name_check(struct call *call, const struct session_name *name);

/* Of one that name_check() took: whether it is a device's. Not said of one that is named by its number. */
bool name_is_device(const struct session_name *name);

/* The session in words: its site, or "session 7". Lives as long as the call. */
const char *name_shown(struct call *call, const struct session_name *name);

/*
 * The condition of a statement that finds it in vault.sessions, whose $1 to $4 NAME_ARGS gives. Each way of naming has its index;
 * what is not wanted is not looked for.
 */
#define NAMED                                                                                      \
	"user_id = $1 AND id = COALESCE(NULLIF($2::bigint, 0), "                                   \
	"(SELECT n.id FROM vault.sessions n WHERE n.user_id = $1 AND n.site = $3 AND n.fingerprint = $4), " \
	"(SELECT n.id FROM vault.sessions n WHERE n.user_id = $1 AND n.site = $3 AND n.kind = 'background' AND $4::text IS NULL)) " \
	"AND site = COALESCE($3, site)"
#define NAME_ARGS(call, name)                                                                      \
	DB_INT((call)->acting.user), DB_INT((name)->session), DB_TEXT((name)->site), DB_TEXT((name)->fingerprint)
