/*
 * The document of a captured session made of arbitrary bytes: whatever is read as one is walked through, changed and compared,
 * and comes out of that as the same one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "state/merge.h"
#include "state/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be(bool so)
{
	if (!so)
		abort();
}

static void look(const struct state *s)
{
	uint8_t digest[32];
	char words[300];
	struct environment e;
	int in_s;

	state_environment(s, &e);
	state_left_out(s, words, sizeof(words));
	state_not_portable(s, words, sizeof(words));
	state_fleeting_cookie(s, 30, &in_s);
	for (size_t i = 0; i < state_cookie_count(s); i++)
		must_be(state_has_cookie(s, state_cookie_at(s, i)));
	for (size_t i = 0; i < state_area_count(s); i++)
		state_item_digest(s, i & 1, state_area(s, i)->chain[0], "token", digest);
}

/* Without a change it is the same; what is set is in it, and nothing else goes for it but what it replaces. */
static void change(const struct state *s)
{
	CLEANUP(state_freep) struct state *same = NULL, *more = NULL;
	const struct state_cookie set = { .name = "sid", .value = "1", .domain = "desk.test", .path = "/", .expires = -1,
		.source_port = -1 };
	int r = state_set_cookies(s, NULL, 0, 0, &same);

	must_be(r == 0 ? state_equal(s, same) : !same);
	if (state_set_cookies(s, &set, 1, 0, &more) < 0)
		return;
	must_be(state_has_cookie(more, &set));
	for (size_t i = 0; i < state_cookie_count(s); i++)
		must_be(state_cookie_is(state_cookie_at(s, i), &set) || state_has_cookie(more, state_cookie_at(s, i)));
}

static bool has_area(const struct state *s, const char *key)
{
	for (size_t i = 0; i < state_area_count(s); i++)
		if (strcmp(state_area(s, i)->key, key) == 0)
			return true;
	return false;
}

static void write_again(const struct state *s)
{
	struct environment e;
	struct state *t = NULL;
	struct state_writer *w;

	state_environment(s, &e);
	w = state_writer_new("fuzz", 0, &e);
	if (state_writer_cookies(w, state_cookies(s)) == 0 && state_writer_carry(w, s) == 0 && state_writer_finish(w, &t) == 0) {
		must_be(state_cookie_count(t) == state_cookie_count(s));
		for (size_t i = 0; i < state_area_count(s); i++)
			must_be(has_area(t, state_area(s, i)->key));
	}
	state_free(t);
	state_writer_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(state_freep) struct state *s = NULL;
	char why[256];
	int r = state_read(data, size, &s, why, sizeof(why));

	must_be(r == 0 ? s && !*why : !s && *why);
	if (r < 0)
		return 0;
	look(s);
	change(s);
	write_again(s);
	return 0;
}
