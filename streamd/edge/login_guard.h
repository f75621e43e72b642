/*
 * Whose login a request carries, and the end of what was opened with it when the login ends.
 *
 * authd knows; it is asked for each request, and watched for logins that end. What is held with a login is asked for again
 * whenever an end of it may have been missed: after a time without that watch, and when the answer that let it in may be
 * older than the watch. An end that is told while the answer is on its way counts, whatever the answer says.
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
	unsigned scopes; /* what it may do: proto/scope.h */
	int64_t expires_at_ms; /* wall clock */
};

/*
 * Who holds something with logins, under numbers of its own. ended(owner, id) is called on a fiber or the loop when the
 * login has ended; id is not held any more then. Lives as long as the guard.
 */
struct login_holder {
	void (*ended)(void *owner, uint64_t id);
	void *owner;
};

/* authd is borrowed. */
struct login_guard *login_guard_new(struct peer *authd);

/* Ends its fibers: call it in a fiber or before the loop stops. Takes NULL, returns NULL. */
struct login_guard *login_guard_free(struct login_guard *g);

/*
 * In a fiber: asks authd whose cookie that is, until call->deadline, and holds id with it until login_guard_release().
 * 0 with *ret, whose strings live as long as the call; REFUSED with ERR_not_signed_in or why authd does not answer.
 */
int login_guard_admit(struct login_guard *g, struct call *call, const struct login_holder *holder, uint64_t id,
	const char *cookie, struct login *ret);

/*
 * Holds id with the login of that name, which authd vouched for when it passed the call on that came with it: it may have
 * ended since, so it is asked for at once, without waiting for that here.
 */
void login_guard_hold(struct login_guard *g, const struct login_holder *holder, uint64_t id, const char *login);

/* The person has just done something with what is held so: their login does not idle out. Cheap; authd hears it rarely. */
void login_guard_use(struct login_guard *g, const struct login_holder *holder, uint64_t id);

/* Forgets id; one that is not held is fine. */
void login_guard_release(struct login_guard *g, const struct login_holder *holder, uint64_t id);
