/* Accounts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct authd;
struct db_tx;

/* NULL if an account may be called so, else a sentence. Letters, digits, dot, dash, underscore, @; at most 64. Pure. */
const char *user_name_refusal(const char *name);

/* As password_refusal(), with the account's name and this installation's host names as words of no worth. Pure. */
const char *user_password_refusal(const struct authd *a, const char *name, const char *password);

/* Within tx: adds the account. -EEXIST: there is one of this name, whatever its case. Database errors. */
int user_insert(struct db_tx *tx, const char *name, const char *encoded, bool admin, int64_t *ret_id);
