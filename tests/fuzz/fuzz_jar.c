/*
 * What an answer sets and a request takes along, on arbitrary addresses and lines: the first line is the address, the others are
 * Set-Cookie. What was set goes along to where it came from, unless it has ended or is another path's.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/cbor_out.h"
#include "common/cleanup.h"
#include "common/span.h"
#include "http/jar.h"
#include "state/merge.h"
#include "state/writer.h"

#define NOW 1800000000.0

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct state *new_state(struct arena *arena)
{
	CLEANUP(state_writer_freep) struct state_writer *w = state_writer_new("site", 0, &(struct environment){ 0 });
	struct cbor_out *out = cbor_out_new();
	const struct cbor *list;
	const uint8_t *bytes;
	struct state *s;
	size_t n;

	cbor_put_array(out, 0);
	if (cbor_out_finish(out, &bytes, &n) < 0 || cbor_parse(arena, arena_memdup(arena, bytes, n), n, 10, &list) < 0 ||
		state_writer_cookies(w, list) < 0 || state_writer_finish(w, &s) < 0)
		abort();
	cbor_out_free(out);
	return s;
}

static void check(const struct state_cookie *c, const char *header)
{
	if (!c->name || !c->value || !c->domain || *c->path != '/' || strlen(c->name) + strlen(c->value) > 4096)
		abort();
	if (strpbrk(c->name, ";\r\n") || strpbrk(c->value, ";\r\n") || (header && strpbrk(header, "\r\n")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct span rest = span_of(arena_memdup(arena, data, size)), line;
	struct state *s = new_state(arena);
	const char *url;

	if (!span_next(&rest, "\n", &line))
		abort();
	url = arena_memdup(arena, line.p, line.n);
	while (span_next(&rest, "\n", &line)) {
		struct state_cookie c;
		struct state *next;

		if (!jar_read(arena, s, url, arena_memdup(arena, line.p, line.n), NOW, &c))
			continue;
		if (state_set_cookies(s, &c, 1, NOW, &next) < 0)
			break;
		state_free(s);
		s = next;
		check(&c, jar_header(arena, s, url, NOW));
	}
	state_free(s);
	return 0;
}
