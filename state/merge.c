#include "state/merge.h"

#include "common/cbor_out.h"
#include "common/cleanup.h"

struct change {
	const struct state_cookie *cookies;
	size_t count;
	double now;
};

/* Of what is set twice, the last counts. */
static const struct state_cookie *replacement_of(const struct change *set, const struct state_cookie *c, size_t from)
{
	for (size_t i = set->count; i > from; i--)
		if (state_cookie_is(&set->cookies[i - 1], c))
			return &set->cookies[i - 1];
	return NULL;
}

static void merge_put_cookies(struct cbor_out *out, const struct state *s, const struct change *set)
{
	cbor_cdp_array_begin(out);
	for (size_t i = 0; i < state_cookie_count(s); i++)
		if (!replacement_of(set, state_cookie_at(s, i), 0))
			state_cookie_write(out, state_cookie_at(s, i));
	for (size_t i = 0; i < set->count; i++)
		if (!replacement_of(set, &set->cookies[i], i + 1) && !state_cookie_has_ended(&set->cookies[i], set->now))
			state_cookie_write(out, &set->cookies[i]);
	cbor_cdp_array_end(out);
}

static void put_entry(struct cbor_out *out, const struct cbor *v)
{
	size_t n = 0, size = 0;
	const char *key = cbor_key(v, &n);
	const uint8_t *raw = cbor_raw(v, &size);

	cbor_put_text_n(out, key, n);
	cbor_put_raw(out, raw, size);
}

int state_set_cookies(const struct state *s, const struct state_cookie *cookies, size_t count, double now, struct state **ret)
{
	CLEANUP(cbor_out_freep) struct cbor_out *out = cbor_out_new();
	const struct change set = { .cookies = cookies, .count = count, .now = now };

	cbor_map_begin(out);
	for (const struct cbor *v = cbor_first(state_root(s)); v; v = cbor_next(v))
		if (v != state_cookies(s))
			put_entry(out, v);
	cbor_put_text(out, "cookies");
	merge_put_cookies(out, s, &set);
	cbor_map_end(out);
	return state_of_out(out, ret);
}
