/*
 * What a caller may do. A row names the one scope that it needs; a caller carries a set of them: of a sign-in what its account
 * may do, of a token what it was given. They are written as OAuth's are: words with a space between (RFC 6749 section 3.3).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum scope {
	SCOPE_ANYONE = 0,            /* whoever may use the socket */
	SCOPE_READ = 1 << 0,         /* see what there is: bookings, sessions (never what is in them), logs, pictures */
	SCOPE_ACT = 1 << 1,          /* book, sign in, change, delete */
	SCOPE_SESSION_USE = 1 << 2,  /* have something done with a session */
	SCOPE_SESSION_READ = 1 << 3, /* get its cookies */
	SCOPE_ADMIN_READ = 1 << 4,   /* see accounts and the audit */
	SCOPE_ADMIN = 1 << 5,        /* change them */
};

#define SCOPES_PERSON ((unsigned)(SCOPE_READ | SCOPE_ACT | SCOPE_SESSION_USE | SCOPE_SESSION_READ))
#define SCOPES_ADMIN  (SCOPES_PERSON | SCOPE_ADMIN_READ | SCOPE_ADMIN)

#define SCOPES_TEXT 80 /* bytes of all of them */

/* Writes the set; size: at least SCOPES_TEXT. And reads one; words that nobody here knows are passed over. */
void scopes_write(unsigned scopes, char *text, size_t size);
unsigned scopes_read(const char *text);
