/*
 * The CBOR reader on arbitrary bytes. What it accepts must survive being handed on raw and being
 * read again, and every accessor must stay inside the input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "common/cbor_out.h"
#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(const void *p, size_t n)
{
	for (size_t i = 0; p && i < n; i++)
		sink ^= ((const uint8_t *)p)[i];
}

static void look_up_again(const struct cbor *map, const struct cbor *v)
{
	size_t n = 0;
	const char *key = cbor_key(v, &n);
	char *name;

	touch(key, n);
	if (!key || memchr(key, 0, n))
		return;
	name = strndup(key, n);
	if (cbor_get(map, name) != v)
		abort();
	free(name);
}

static void visit(struct arena *arena, const struct cbor *v)
{
	size_t n = 0, seen = 0;
	int64_t i;
	double d;

	touch(cbor_bytes(v, &n), n);
	touch(cbor_raw(v, &n), n);
	cbor_int(v, &i);
	cbor_double(v, &d);
	cbor_text_is(v, "example");
	cbor_text_utf8(arena, v);
	for (const struct cbor *c = cbor_first(v); c; c = cbor_next(c), seen++) {
		if (cbor_is(v, CBOR_MAP))
			look_up_again(v, c);
		else if (cbor_at(v, seen) != c)
			abort();
		visit(arena, c);
	}
	if (seen != cbor_count(v))
		abort();
}

static void read_back(struct arena *arena, const struct cbor *v)
{
	CLEANUP(cbor_out_freep) struct cbor_out *o = cbor_out_new();
	const struct cbor *again;
	const uint8_t *p;
	size_t n, raw_n;
	const uint8_t *raw = cbor_raw(v, &raw_n);

	cbor_put_array(o, 1);
	cbor_put_raw(o, raw, raw_n);
	if (cbor_out_finish(o, &p, &n) < 0)
		abort();
	/* One level deeper and one item more, which may be one too many. */
	if (cbor_parse(arena, p, n, 5000, &again) == 0 && cbor_count(again) != 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct cbor *v = NULL;
	int e = cbor_parse(arena, data, size, 4096, &v);

	if (e < 0) {
		if (v || !cbor_error(e))
			abort();
		return 0;
	}
	visit(arena, v);
	read_back(arena, v);
	return 0;
}
