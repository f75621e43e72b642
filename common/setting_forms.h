/*
 * What the values of settings look like, so that a wrong one is refused with its file and line when a daemon starts, and not
 * when it is first needed. What only libpq can tell is in db/conninfo_form.h.
 */
#pragma once

#include <sys/types.h>

struct setting_form;

extern const struct setting_form form_origin;      /* an origin, as browsers send it (common/origin.h) */
extern const struct setting_form form_user;        /* a user that there is, a uid, or self */
extern const struct setting_form form_directories; /* absolute paths with colons between them */
extern const struct setting_form form_path;        /* an absolute path */
extern const struct setting_form form_path_or_none;
extern const struct setting_form form_pin;         /* HOST=ADDRESS or HOST=ADDRESS:PORT (common/egress_rule.h) */
extern const struct setting_form form_key;         /* the SHA-256 of a public key in base64 */

/* Whom the value of such a setting means: NULL with their uid, or what is wrong with it. */
const char *user_uid(const char *user, uid_t *ret);

/* What is wrong with a key's hash, or NULL; the sentence goes on from "it". */
const char *key_hash_wrong(const char *text);
