/* Reading a whole message of CBOR (RFC 8949) into values. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cbor_inside.h"
#include "common/utf.h"

#define INFO_INDEFINITE 31
#define TAG_BASE64      22
#define TAG_ENCODED     24
#define BREAK           0xff

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

struct reader {
	struct arena *arena;
	const uint8_t *p;
	const uint8_t *end;
	size_t items_left;
};

struct head {
	enum major major;
	uint8_t info;
	uint64_t value;
};

static size_t left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

static int cbor_read_head(struct reader *r, struct head *h)
{
	size_t n;

	if (r->p == r->end)
		return -EBADMSG;
	h->major = *r->p >> 5;
	h->info = *r->p & 0x1f;
	h->value = 0;
	r->p++;
	if (h->info == INFO_INDEFINITE)
		return 0;
	if (h->info < 24) {
		h->value = h->info;
		return 0;
	}
	if (h->info > 27)
		return -EBADMSG;
	n = (size_t)1 << (h->info - 24);
	if (left(r) < n)
		return -EBADMSG;
	while (n-- > 0)
		h->value = h->value << 8 | *r->p++;
	return 0;
}

static int read_int(const struct head *h, struct cbor *v)
{
	if (h->info == INFO_INDEFINITE)
		return -EBADMSG;
	if (h->value > INT64_MAX)
		return -ERANGE;
	v->type = CBOR_INT;
	v->i = h->major == UNSIGNED ? (int64_t)h->value : -1 - (int64_t)h->value;
	return 0;
}

/* Takes the content of a string of definite length, whose head was read. */
static int take_bytes(struct reader *r, const struct head *h, const uint8_t **ret)
{
	if (h->info == INFO_INDEFINITE)
		return -ENOTSUP;
	if (h->value > left(r))
		return -EBADMSG;
	*ret = r->p;
	r->p += h->value;
	return 0;
}

static int read_string(struct reader *r, const struct head *h, struct cbor *v)
{
	int e = take_bytes(r, h, &v->str.p);

	if (e)
		return e;
	v->str.n = h->value;
	v->type = h->major == TEXT ? CBOR_TEXT : CBOR_BYTES;
	if (v->type == CBOR_TEXT && !utf8_valid(v->str.p, v->str.n))
		return -EILSEQ;
	return 0;
}

/* RFC 8949 appendix D. */
static double half_float(uint64_t bits)
{
	int exponent = bits >> 10 & 0x1f;
	double mantissa = bits & 0x3ff, d;

	if (exponent == 0)
		d = ldexp(mantissa, -24);
	else if (exponent != 31)
		d = ldexp(mantissa + 1024, exponent - 25);
	else
		d = mantissa == 0 ? INFINITY : NAN;
	return bits & 0x8000 ? -d : d;
}

static double single_float(uint64_t bits)
{
	uint32_t word = (uint32_t)bits;
	float f;

	memcpy(&f, &word, sizeof(f));
	return f;
}

static int read_simple(const struct head *h, struct cbor *v)
{
	v->type = CBOR_DOUBLE;
	switch (h->info) {
	case 20:
	case 21:
		v->type = CBOR_BOOL;
		v->b = h->info == 21;
		return 0;
	case 22:
		v->type = CBOR_NULL;
		return 0;
	case 25:
		v->d = half_float(h->value);
		return 0;
	case 26:
		v->d = single_float(h->value);
		return 0;
	case 27:
		memcpy(&v->d, &h->value, sizeof(v->d));
		return 0;
	case INFO_INDEFINITE: /* a break where nothing is open */
		return -EBADMSG;
	default:
		return -ENOTSUP;
	}
}

static int cbor_read_item(struct reader *r, unsigned int depth, struct cbor **ret);
static int cbor_read_value(struct reader *r, unsigned int depth, bool tagged, struct cbor *v);

static int cbor_read_key(struct reader *r, struct cbor *v)
{
	const uint8_t *p;
	struct head h;
	int e;

	if (r->items_left == 0)
		return -E2BIG;
	r->items_left--;
	e = cbor_read_head(r, &h);
	if (e)
		return e;
	if (h.major != TEXT && h.major != BYTES)
		return -ENOTSUP;
	e = take_bytes(r, &h, &p);
	if (e)
		return e;
	v->key = (const char *)p;
	v->key_len = h.value;
	if (h.major == BYTES)
		v->key = cbor_utf16_text(r->arena, p, h.value, true, &v->key_len);
	else if (!utf8_valid(p, h.value))
		v->key = NULL;
	return v->key ? 0 : -EILSEQ;
}

static int read_child(struct reader *r, unsigned int depth, bool map, struct cbor **ret)
{
	struct cbor key = {};
	int e = map ? cbor_read_key(r, &key) : 0;

	if (!e)
		e = cbor_read_item(r, depth, ret);
	if (e)
		return e;
	(*ret)->key = key.key;
	(*ret)->key_len = key.key_len;
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	const struct cbor *x = *(const struct cbor *const *)a;
	const struct cbor *y = *(const struct cbor *const *)b;

	return cbor_key_compare(x->key, x->key_len, y->key, y->key_len);
}

static int index_list(struct reader *r, struct cbor *v)
{
	const struct cbor **index = arena_array(r->arena, v->list.n, sizeof(struct cbor *));
	size_t n = 0;

	for (const struct cbor *c = v->list.first; c; c = c->next)
		index[n++] = c;
	v->list.index = index;
	if (v->type == CBOR_ARRAY)
		return 0;
	qsort(index, n, sizeof(*index), entry_compare);
	for (size_t i = 1; i < n; i++)
		if (entry_compare(&index[i - 1], &index[i]) == 0)
			return -EEXIST;
	return 0;
}

/*
 * True when the list whose head was read has no more children; consumes the break of an indefinite
 * one.
 */
static bool list_done(struct reader *r, const struct head *h, size_t n)
{
	if (h->info != INFO_INDEFINITE)
		return n == h->value;
	if (r->p == r->end || *r->p != BREAK)
		return false;
	r->p++;
	return true;
}

static int cbor_read_list(struct reader *r, const struct head *h, unsigned int depth, struct cbor *v)
{
	const struct cbor **tail = &v->list.first;

	if (depth >= CBOR_DEPTH_MAX)
		return -E2BIG;
	v->type = h->major == MAP ? CBOR_MAP : CBOR_ARRAY;
	while (!list_done(r, h, v->list.n)) {
		struct cbor *child;
		int e = read_child(r, depth + 1, h->major == MAP, &child);

		if (e)
			return e;
		*tail = child;
		tail = &child->next;
		v->list.n++;
	}
	return index_list(r, v);
}

/*
 * The tag's byte string must hold exactly one item, itself without a tag, so that recursion stays
 * bounded.
 */
static int cbor_read_envelope(struct reader *r, size_t n, unsigned int depth, struct cbor *v)
{
	const uint8_t *outer = r->end;
	int e;

	if (n > left(r))
		return -EBADMSG;
	r->end = r->p + n;
	e = cbor_read_value(r, depth, true, v);
	if (!e && r->p != r->end)
		e = -EBADMSG;
	r->end = outer;
	return e;
}

static int read_tag(struct reader *r, uint64_t tag, unsigned int depth, struct cbor *v)
{
	struct head h;
	int e;

	if (tag != TAG_BASE64 && tag != TAG_ENCODED)
		return -ENOTSUP;
	e = cbor_read_head(r, &h);
	if (e)
		return e;
	if (h.major != BYTES || h.info == INFO_INDEFINITE)
		return -ENOTSUP;
	if (tag == TAG_ENCODED)
		return cbor_read_envelope(r, h.value, depth, v);
	v->binary = true;
	return read_string(r, &h, v);
}

static int cbor_read_value(struct reader *r, unsigned int depth, bool tagged, struct cbor *v)
{
	struct head h;
	int e = cbor_read_head(r, &h);

	if (e)
		return e;
	switch (h.major) {
	case UNSIGNED:
	case NEGATIVE:
		return read_int(&h, v);
	case BYTES:
	case TEXT:
		return read_string(r, &h, v);
	case ARRAY:
	case MAP:
		return cbor_read_list(r, &h, depth, v);
	case TAG:
		if (h.info == INFO_INDEFINITE)
			return -EBADMSG;
		return tagged ? -ENOTSUP : read_tag(r, h.value, depth, v);
	case SIMPLE:
		return read_simple(&h, v);
	}
	return -EBADMSG;
}

static int cbor_read_item(struct reader *r, unsigned int depth, struct cbor **ret)
{
	struct cbor *v;
	int e;

	if (r->items_left == 0)
		return -E2BIG;
	r->items_left--;
	v = arena_alloc(r->arena, sizeof(*v));
	v->raw = r->p;
	e = cbor_read_value(r, depth, false, v);
	if (e)
		return e;
	v->raw_len = (size_t)(r->p - v->raw);
	*ret = v;
	return 0;
}

int cbor_parse(struct arena *arena, const void *p, size_t n, size_t max_items,
	       const struct cbor **ret)
{
	struct reader r = { .arena = arena, .p = p, .end = (const uint8_t *)p + n,
			    .items_left = max_items };
	struct cbor *v;
	int e = n ? cbor_read_item(&r, 0, &v) : -EBADMSG;

	if (!e && r.p != r.end)
		e = -EBADMSG;
	if (!e)
		*ret = v;
	return e;
}

const char *cbor_error(int error)
{
	switch (error) {
	case -EBADMSG:
		return "the CBOR message is cut short, has bytes after its end, or is not CBOR";
	case -EILSEQ:
		return "a CBOR text string is not valid UTF-8, or a key is not valid Unicode";
	case -EEXIST:
		return "a CBOR map holds the same key twice";
	case -ERANGE:
		return "a CBOR integer does not fit 64 bits with a sign";
	case -E2BIG:
		return "the CBOR message is nested too deeply or has too many items";
	case -ENOTSUP:
		return "the CBOR message uses a tag, key, string form or value not supported here";
	case -EINVAL:
		return "a CBOR map, array or envelope was begun or ended out of order";
	default:
		return strerror(-error);
	}
}
