/*
 * Writing CBOR (RFC 8949): a growing buffer, cleansed whenever it is given up, for it may hold a
 * session. It aborts when memory is exhausted. Mistakes (text that is not UTF-8, unbalanced ends)
 * are kept until cbor_out_finish() reports the first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cbor_out;

struct cbor_out *cbor_out_new(void);
struct cbor_out *cbor_out_free(struct cbor_out *o); /* takes NULL, returns NULL */
void cbor_out_freep(struct cbor_out **o);
void cbor_out_reset(struct cbor_out *o); /* empties it for the next message */

/*
 * Gives what was written, which o goes on owning until it is written to, reset or freed. -EILSEQ,
 * -EINVAL, -E2BIG
 */
int cbor_out_finish(struct cbor_out *o, const uint8_t **ret, size_t *ret_len);

void cbor_put_int(struct cbor_out *o, int64_t i);
void cbor_put_double(struct cbor_out *o, double d);
void cbor_put_bool(struct cbor_out *o, bool b);
void cbor_put_null(struct cbor_out *o);
void cbor_put_text(struct cbor_out *o, const char *s);
void cbor_put_text_n(struct cbor_out *o, const char *s, size_t n);
void cbor_put_bytes(struct cbor_out *o, const void *p, size_t n);
void cbor_put_binary(struct cbor_out *o, const void *p, size_t n); /* under tag 22 */
/* One item that is encoded already, as from cbor_raw(). It is not looked at. */
void cbor_put_raw(struct cbor_out *o, const void *p, size_t n);

/* Of definite length: exactly n elements, or n keys with n values, must follow. There is no end. */
void cbor_put_array(struct cbor_out *o, size_t n);
void cbor_put_map(struct cbor_out *o, size_t n);

/* Of indefinite length. */
void cbor_array_begin(struct cbor_out *o);
void cbor_array_end(struct cbor_out *o);
void cbor_map_begin(struct cbor_out *o);
void cbor_map_end(struct cbor_out *o);

/*
 * As Chromium wants them: of indefinite length and in an envelope. Messages to it are one cdp map.
 */
void cbor_cdp_map_begin(struct cbor_out *o);
void cbor_cdp_map_end(struct cbor_out *o);
void cbor_cdp_array_begin(struct cbor_out *o);
void cbor_cdp_array_end(struct cbor_out *o);
/* Chromium reads integers of 32 bits only; others go out as doubles. */
void cbor_cdp_int(struct cbor_out *o, int64_t i);
