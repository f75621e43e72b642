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
#include <sys/queue.h>

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

#define LOGIN_SIZE 65 /* of a login's name, as proto/authd.def has it */

/*
 * Something that is held with a login. Whoever holds it makes it, says what is to be called, on a fiber or the loop, when
 * the login has ended, and releases it before its memory goes; it is not held any more when ended() is called.
 */
struct login_hold {
	void (*ended)(void *owner);
	void *owner;
	/* The guard's own: */
	bool held;
	char login[LOGIN_SIZE];
	int64_t expires_at_ms; /* INT64_MAX until authd has said it */
	bool checked;          /* since the watch was opened */
	bool asked;            /* authd is being asked about its login, and was after this came */
	bool used;             /* and authd has not heard so */
	int64_t tell_at;       /* monotonic: not before then is use worth telling again */
	TAILQ_ENTRY(login_hold) link;
};

/* authd is borrowed. */
struct login_guard *login_guard_new(struct peer *authd);

/* Ends its fibers: call it in a fiber or before the loop stops. Takes NULL, returns NULL. */
struct login_guard *login_guard_free(struct login_guard *g);

/*
 * In a fiber: asks authd whose cookie that is, until call->deadline, and holds h with it until login_guard_release().
 * 0 with *ret, whose strings live as long as the call; REFUSED with ERR_not_signed_in or why authd does not answer.
 */
int login_guard_admit(struct login_guard *g, struct call *call, struct login_hold *h, const char *cookie, struct login *ret);

/*
 * Holds h with the login of that name, which authd vouched for when it passed the call on that came with it: it may have
 * ended since, so it is asked for at once, without waiting for that here.
 */
void login_guard_hold(struct login_guard *g, struct login_hold *h, const char *login);

/* The person has just done something with what is held so: their login does not idle out. Cheap; authd hears it rarely. */
void login_guard_use(struct login_guard *g, struct login_hold *h);

/* Lets go of h; one that is not held is fine. */
void login_guard_release(struct login_guard *g, struct login_hold *h);
