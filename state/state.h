/*
 * A captured session: one CBOR document, format 1.
 *
 *	{format: 1, site, captured_at_ms,
 *	 environment: {user_agent, agent, languages, time_zone, locale, width, height,
 *	               screen: {width, height, color_depth}},   absent in older ones
 *	 cookies: [...],                    as Storage.getCookies gave them, fields unchanged (state/cookie.h)
 *	 areas: [{key,                      storage key, such as "https://b.test/^0https://a.test"
 *	          chain: [origin, ...],     from the page down to the frame that has this key
 *	          local, session,           [[key, value], ...] as streamd/browser/pages/storage_read.js gave them; null if closed
 *	          databases,                text of streamd/browser/pages/indexeddb_read.js
 *	          caches}],                 text of streamd/browser/pages/caches_read.js; absent in older ones
 *	 not_portable: [text, ...],         what cannot be taken along: "https://x.test keeps a key ... in IndexedDB"
 *	 missed: [text, ...]}               what could not be read this time, likewise; absent in older ones
 *
 * It is written by state/writer.h, and changed by state/merge.h. Cookies may be read by whoever holds the document; the rest is
 * streamd's. Everything in it is secret.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/cbor.h"
#include "state/cookie.h"
#include "state/environment.h"

#define STATE_FORMAT 1
#define STATE_MOST   (64u << 20)
#define STATE_AREAS  512 /* at most */

struct state;

/* One storage key's worth; what is read is borrowed from the state. */
struct area {
	const char *key;
	const char *const *chain;
	size_t depth;
	const struct cbor *local, *session; /* NULL if closed */
	const struct cbor *databases;       /* a text */
	const struct cbor *caches;          /* a text; NULL: none */
	const struct cbor *whole;           /* the element of "areas"; NULL: of our own making */
};

/*
 * Reads a document; bytes (n of them) are copied into memory that is cleansed. -EBADMSG if it is none, -ENOTSUP with
 * another format; why (size bytes) says which.
 */
int state_read(const void *bytes, size_t n, struct state **ret, char *why, size_t size);

/* The same of one that has been written. -E2BIG when it is larger than STATE_MOST. (private to state/) */
int state_of_out(struct cbor_out *out, struct state **ret);

/* The same from a sealed memfd. */
int state_read_memfd(int fd, struct state **ret, char *why, size_t size);

/* A sealed memfd of the document. */
int state_memfd(const struct state *s, int *ret);

/* Takes NULL, returns NULL. */
struct state *state_free(struct state *s);
void state_freep(struct state **s);

void state_environment(const struct state *s, struct environment *ret); /* texts borrowed from the state */
const struct cbor *state_root(const struct state *s);    /* the whole document */
const struct cbor *state_cookies(const struct state *s); /* the list as it stands there */
size_t state_cookie_count(const struct state *s);
const struct state_cookie *state_cookie_at(const struct state *s, size_t i);
bool state_has_cookie(const struct state *s, const struct state_cookie *c); /* one that is equal */
size_t state_area_count(const struct state *s);
const struct area *state_area(const struct state *s, size_t i);

/*
 * What is not in it, in one sentence, "https://x.test keeps a key that cannot leave the browser ...; ...."; false and "" if that is
 * nothing. Not portable is what would not be in it the next time either.
 */
bool state_left_out(const struct state *s, char *out, size_t size);
bool state_not_portable(const struct state *s, char *out, size_t size);
const struct cbor *state_not_portable_list(const struct state *s); /* of texts */

/* A cookie that ends within so many seconds of the capture, perhaps before anybody uses it: its name, or NULL; *ret_s: when. */
const char *state_fleeting_cookie(const struct state *s, int within_s, int *ret_s);

/* Whether both hold the same cookies and storage: the measure of a page that has settled. */
bool state_equal(const struct state *a, const struct state *b);

/*
 * A storage item's value: true and its hash in digest, so that changes can be told. session: of sessionStorage.
 */
bool state_item_digest(const struct state *s, bool session, const char *origin, const char *key, uint8_t digest[32]);
