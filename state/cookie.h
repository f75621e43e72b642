/*
 * A cookie of a captured session, with all that Chromium says of it (Network.Cookie of its debugging protocol; RFC 6265 and its
 * revision, draft-ietf-httpbis-rfc6265bis; partitions: CHIPS, draft-cutler-httpbis-partitioned-cookies). Its value is a secret.
 */
#pragma once

#include <stdbool.h>

#include "common/cbor.h"
#include "common/cbor_out.h"

struct state_cookie {
	const char *name, *value;
	const char *domain; /* begins with a dot where names below it are meant, too; else it is that host's alone */
	const char *path;
	double expires; /* s since 1970; below 0: with the session */
	bool http_only, secure;
	const char *same_site; /* "Strict", "Lax", "None"; NULL: not said */
	const char *partition; /* the top-level site whose it is, such as "https://a.test"; NULL: everybody's */
	bool cross_site_ancestor; /* a frame of another site stood between; only with partition */
	const char *priority;      /* "Low", "Medium", "High"; NULL: not said */
	const char *source_scheme; /* "Secure", "NonSecure", "Unset"; NULL: not said */
	int source_port;           /* -1: not said */
	const struct cbor *whole;  /* as it was read, whatever else it says; NULL: of our own making */
};

/* Reads one; texts in the arena, where what UTF-8 cannot hold is U+FFFD. False if name, value, domain or path is missing. */
bool state_cookie_read(struct arena *arena, const struct cbor *v, struct state_cookie *ret);

/* Writes it as Chromium takes it (Network.CookieParam), from whole where there is one. */
void state_cookie_write(struct cbor_out *out, const struct state_cookie *c);

/* Writes a member of a map, unless its value is NULL. (private to state/) */
void state_put_text(struct cbor_out *out, const char *key, const char *value);

/* Whether setting the one replaces the other: RFC 6265 section 5.3, step 11, and the partition. */
bool state_cookie_is(const struct state_cookie *a, const struct state_cookie *b);

/* Whether they are the same in all that a site or a browser goes by. */
bool state_cookie_equal(const struct state_cookie *a, const struct state_cookie *b);

/* Whether it has ended by then, s since 1970. */
bool state_cookie_has_ended(const struct state_cookie *c, double now);
