/*
 * Making the document of a captured session (state/state.h) piece by piece: cookies first, then areas; what cannot be taken along
 * may be said at any time. It never becomes larger than STATE_MOST.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/state.h"

struct state_writer;

/* captured_at_ms: since 1970. The environment's texts are copied. */
struct state_writer *state_writer_new(const char *site, int64_t captured_at_ms, const struct environment *e);

/* Takes NULL, returns NULL. */
struct state_writer *state_writer_free(struct state_writer *w);
void state_writer_freep(struct state_writer **w);

/* The list that Storage.getCookies gives. Once, before any area. -E2BIG when it is too much. */
int state_writer_cookies(struct state_writer *w, const struct cbor *list);

/*
 * One storage key's worth, from its element (whole) where there is one; a page says what it likes, so what is of another type
 * than it should be counts as closed. -E2BIG when it is too much, or one more than there may be.
 */
int state_writer_area(struct state_writer *w, const struct area *a);

/* Whether it has that storage key. */
bool state_writer_has(const struct state_writer *w, const char *key);

/* The areas of before (NULL: none) that it does not have. -E2BIG likewise. */
int state_writer_carry(struct state_writer *w, const struct state *before);

/* A text of "not_portable" or "missed", copied; the same twice is one, and 64 of each are enough. */
void state_writer_not_portable(struct state_writer *w, const char *text);
void state_writer_missed(struct state_writer *w, const char *text);

/* The document as it is read. Once. -E2BIG, or as state_read(). */
int state_writer_finish(struct state_writer *w, struct state **ret);
