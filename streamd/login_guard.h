/*
 * Whose login a request carries, and the end of what was opened with it when the login ends.
 *
 * authd knows; it is asked for each request, and watched for logins that end. After a time without authd everything
 * that is held is asked for again, because an end may have been missed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct call;
struct login_guard;
struct peer;

/* Somebody who is signed in to Stead. Strings are borrowed. */
struct login {
	int64_t user;
	const char *name;
	const char *login; /* a name for the login, not secret */
	const char *ip;    /* where the request came from */
	bool admin;
	int64_t expires_at_ms; /* wall clock */
};

/*
 * ended(owner, id) is called on a fiber or the loop for each id held with a login that has ended; it is not held any
 * more then. authd is borrowed.
 */
struct login_guard *login_guard_new(struct peer *authd, void (*ended)(void *owner, uint64_t id), void *owner);

/* Ends its fibers: call it in a fiber or before the loop stops. Takes NULL, returns NULL. */
struct login_guard *login_guard_free(struct login_guard *g);

/*
 * In a fiber: asks authd whose cookie that is, until call->deadline, and holds id with it until login_guard_release().
 * 0 with *ret, whose strings live as long as the call; REFUSED with ERR_not_signed_in or why authd does not answer.
 */
int login_guard_admit(struct login_guard *g, struct call *call, uint64_t id, const char *cookie, struct login *ret);

/* Forgets id; one that is not held is fine. */
void login_guard_release(struct login_guard *g, uint64_t id);
