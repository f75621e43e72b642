#include "sessiond/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "sessiond/gcm.h"
#include "sessiond/hkdf.h"
#include "sessiond/pack.h"

#define DATA_KEY_LEN 32
#define COMMITMENT_LEN 32

/* The head of a blob, as in envelope.h; bytes only, so it has neither padding nor alignment. */
struct head {
	uint8_t magic[3];
	uint8_t format;
	uint8_t key_id[4];
	uint8_t context_hash[SHA256_DIGEST_LENGTH];
	uint8_t wrap_nonce[GCM_NONCE_LEN];
	uint8_t wrapped[DATA_KEY_LEN];
	uint8_t wrap_tag[GCM_TAG_LEN];
	uint8_t commitment[COMMITMENT_LEN];
	uint8_t nonce[GCM_NONCE_LEN];
};

_Static_assert(sizeof(struct head) + GCM_TAG_LEN == ENVELOPE_OVERHEAD, "as in envelope.h");

static const uint8_t magic[3] = { 'S', 'T', 'E' };

/* A context in its canonical encoding, and the hash of that. */
struct binding {
	uint8_t *bytes;
	size_t len;
	uint8_t hash[SHA256_DIGEST_LENGTH];
};

void envelope_blob_free(struct envelope_blob *b)
{
	free(b->data);
	b->data = NULL;
	b->len = 0;
}

static uint8_t *put_be(uint8_t *to, uint64_t value, size_t n)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		to[i] = (uint8_t)value;
	return to + n;
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put_string(uint8_t *to, const char *s)
{
	size_t n = strlen(s);

	to = put_be(to, n, 4);
	memcpy(to, s, n);
	return to + n;
}

#define FIELDS 6

/* Which strings a format binds, in its order; how many. */
static size_t bound_fields(uint8_t format, const struct envelope_context *c, const char *fields[static FIELDS])
{
	const char *const one[] = { c->user, c->site, c->fingerprint, c->row, c->kind };
	const char *const two[FIELDS] = { c->row, c->user, c->site, c->kind, c->fingerprint, c->account };

	memcpy(fields, format == 1 ? one : two, format == 1 ? sizeof(one) : sizeof(two));
	return format == 1 ? sizeof(one) / sizeof(*one) : FIELDS;
}

static struct binding bind(struct arena *arena, uint8_t format, const struct envelope_context *c)
{
	static const char label[] = "stead envelope";
	const char *fields[FIELDS];
	const size_t count = bound_fields(format, c, fields);
	size_t size = sizeof(label) - 1 + 4 + 8 + 8;
	struct binding b;
	uint8_t *p;

	for (size_t i = 0; i < count; i++)
		size += 4 + strlen(fields[i]);
	p = b.bytes = arena_alloc(arena, size);
	memcpy(p, label, sizeof(label) - 1);
	p = put_be(p + sizeof(label) - 1, format, 4);
	for (size_t i = 0; i < count; i++)
		p = put_string(p, fields[i]);
	p = put_be(p, c->version, 8);
	if (format > 1)
		p = put_be(p, c->proved_at_ms, 8);
	b.len = (size_t)(p - b.bytes);
	SHA256(b.bytes, b.len, b.hash);
	return b;
}

static int expand(const struct secret *data_key, const char *info, uint8_t *out, size_t n)
{
	const struct hkdf_input in = { .key = data_key->data, .key_len = data_key->len,
				       .info = info, .info_len = strlen(info) };

	return hkdf_sha256(&in, out, n);
}

static int envelope_derive(const struct secret *data_key, struct secret **ret_key, uint8_t *ret_commitment)
{
	CLEANUP(secret_freep) struct secret *key = NULL;
	int r = secret_new(GCM_KEY_LEN, &key);

	if (!r)
		r = expand(data_key, "stead content 1", key->data, key->len);
	if (!r)
		r = expand(data_key, "stead commit 1", ret_commitment, COMMITMENT_LEN);
	if (!r)
		*ret_key = TAKE(key);
	return r;
}

/* --- the wrap --- */

#define WRAP_LABEL "stead wrap 1"
#define WRAP_AAD_LEN (sizeof(WRAP_LABEL) - 1 + 4 + SHA256_DIGEST_LENGTH)

static void wrap_aad(const struct head *h, const struct binding *b, uint8_t *out)
{
	memcpy(out, WRAP_LABEL, sizeof(WRAP_LABEL) - 1);
	out += sizeof(WRAP_LABEL) - 1;
	memcpy(out, h->key_id, sizeof(h->key_id));
	memcpy(out + sizeof(h->key_id), b->hash, sizeof(b->hash));
}

/*
 * Random nonces under one master key: safe for 2^32 wraps (SP 800-38D, 8.3), which is a session
 * saved every second for 136 years.
 */
static int envelope_wrap(const struct masterkeys *keys, const struct binding *b,
		const struct secret *data_key, struct head *h)
{
	uint32_t id = masterkeys_current(keys);
	const struct secret *master = masterkeys_get(keys, id);
	uint8_t aad[WRAP_AAD_LEN];
	struct gcm g = { .nonce = h->wrap_nonce, .aad = aad, .aad_len = sizeof(aad) };

	if (!master)
		return -ENOKEY;
	g.key = master->data;
	put_be(h->key_id, id, sizeof(h->key_id));
	wrap_aad(h, b, aad);
	if (RAND_bytes(h->wrap_nonce, sizeof(h->wrap_nonce)) != 1)
		return -EIO;
	return gcm_encrypt(&g, data_key->data, data_key->len, h->wrapped, h->wrap_tag);
}

static int unwrap(const struct masterkeys *keys, const struct binding *b, const struct head *h,
		  struct secret **ret)
{
	CLEANUP(secret_freep) struct secret *data_key = NULL;
	const struct secret *master = masterkeys_get(keys, get_be32(h->key_id));
	uint8_t aad[WRAP_AAD_LEN];
	struct gcm g = { .nonce = h->wrap_nonce, .aad = aad, .aad_len = sizeof(aad) };
	int r;

	if (!master)
		return -ENOKEY;
	r = secret_new(DATA_KEY_LEN, &data_key);
	if (r)
		return r;
	g.key = master->data;
	wrap_aad(h, b, aad);
	r = gcm_decrypt(&g, h->wrapped, sizeof(h->wrapped), h->wrap_tag, data_key->data);
	if (r)
		return r == -EBADMSG ? -EKEYREJECTED : r;
	*ret = TAKE(data_key);
	return 0;
}

/* The content key, once the wrap and the commitment have been found good. */
static int recover(const struct masterkeys *keys, const struct binding *b, const struct head *h,
		   struct secret **ret_data_key, struct secret **ret_content_key)
{
	CLEANUP(secret_freep) struct secret *data_key = NULL;
	CLEANUP(secret_freep) struct secret *content_key = NULL;
	uint8_t commitment[COMMITMENT_LEN];
	int r = unwrap(keys, b, h, &data_key);

	if (!r)
		r = envelope_derive(data_key, &content_key, commitment);
	if (r)
		return r;
	if (CRYPTO_memcmp(commitment, h->commitment, sizeof(commitment)) != 0)
		return -EKEYREJECTED;
	*ret_data_key = TAKE(data_key);
	*ret_content_key = TAKE(content_key);
	return 0;
}

/* --- the blob --- */

static int blob_new(size_t n, struct envelope_blob *ret)
{
	ret->data = malloc(n);
	ret->len = n;
	return ret->data ? 0 : -ENOMEM;
}

static int new_data_key(const struct masterkeys *keys, const struct binding *b, struct head *h,
			struct secret **ret_content_key)
{
	CLEANUP(secret_freep) struct secret *data_key = NULL;
	int r = secret_new(DATA_KEY_LEN, &data_key);

	if (r)
		return r;
	if (RAND_priv_bytes(data_key->data, DATA_KEY_LEN) != 1)
		return -EIO;
	r = envelope_wrap(keys, b, data_key, h);
	return r ? r : envelope_derive(data_key, ret_content_key, h->commitment);
}

static int encrypt(const struct masterkeys *keys, const struct binding *b, const uint8_t *packed,
		   size_t n, struct envelope_blob *blob)
{
	CLEANUP(secret_freep) struct secret *content_key = NULL;
	uint8_t *content = blob->data + sizeof(struct head);
	struct head *h = (struct head *)blob->data;
	struct gcm g = { .nonce = h->nonce, .aad = b->bytes, .aad_len = b->len };
	int r;

	memcpy(h->magic, magic, sizeof(magic));
	h->format = ENVELOPE_FORMAT;
	memcpy(h->context_hash, b->hash, sizeof(b->hash));
	r = new_data_key(keys, b, h, &content_key);
	if (r)
		return r;
	if (RAND_bytes(h->nonce, sizeof(h->nonce)) != 1)
		return -EIO;
	g.key = content_key->data;
	return gcm_encrypt(&g, packed, n, content, content + n);
}

int envelope_seal(const struct masterkeys *keys, const struct envelope_context *context,
		  const void *plain, size_t n, struct envelope_blob *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(512);
	CLEANUP(secret_freep) struct secret *packed = NULL;
	CLEANUP(envelope_blob_free) struct envelope_blob blob = {};
	struct binding b = bind(arena, ENVELOPE_FORMAT, context);
	size_t packed_len;
	int r;

	if (n == 0)
		return -EINVAL;
	r = pack_deflate(plain, n, &packed, &packed_len);
	if (!r)
		r = blob_new(ENVELOPE_OVERHEAD + packed_len, &blob);
	if (!r)
		r = encrypt(keys, &b, packed->data, packed_len, &blob);
	if (r)
		return r;
	ret->len = blob.len;
	ret->data = TAKE(blob.data);
	return 0;
}

int envelope_format(const void *blob, size_t n)
{
	const struct head *h = blob;

	if (n < sizeof(magic) + 1)
		return -EBADMSG;
	if (memcmp(h->magic, magic, sizeof(magic)) != 0 || h->format < 1 || h->format > ENVELOPE_FORMAT)
		return -EPROTONOSUPPORT;
	return n > ENVELOPE_OVERHEAD ? h->format : -EBADMSG;
}

/* The binding of a blob that claims to belong to this context, in its own format. */
static int match_head(struct arena *arena, const struct envelope_context *context, const void *blob, size_t n, struct binding *ret)
{
	const struct head *h = blob;
	int format = envelope_format(blob, n);

	if (format < 0)
		return format;
	*ret = bind(arena, (uint8_t)format, context);
	return memcmp(h->context_hash, ret->hash, sizeof(ret->hash)) == 0 ? 0 : -EBADMSG;
}

static int decrypt(const struct secret *content_key, const struct binding *b, const uint8_t *blob,
		   size_t n, struct secret **ret)
{
	CLEANUP(secret_freep) struct secret *packed = NULL;
	const struct head *h = (const struct head *)blob;
	const struct gcm g = { .key = content_key->data, .nonce = h->nonce,
			       .aad = b->bytes, .aad_len = b->len };
	int r = secret_new(n - ENVELOPE_OVERHEAD, &packed);

	if (!r)
		r = gcm_decrypt(&g, blob + sizeof(*h), packed->len, blob + n - GCM_TAG_LEN,
				  packed->data);
	if (!r)
		*ret = TAKE(packed);
	return r;
}

int envelope_open(const struct masterkeys *keys, const struct envelope_context *context,
		  const void *blob, size_t n, size_t max, struct secret **ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(512);
	CLEANUP(secret_freep) struct secret *data_key = NULL;
	CLEANUP(secret_freep) struct secret *content_key = NULL;
	CLEANUP(secret_freep) struct secret *packed = NULL;
	struct binding b;
	int r = match_head(arena, context, blob, n, &b);

	if (!r && n - ENVELOPE_OVERHEAD > pack_bound(max))
		r = -EFBIG;
	if (!r)
		r = recover(keys, &b, blob, &data_key, &content_key);
	if (!r)
		r = decrypt(content_key, &b, blob, n, &packed);
	if (!r)
		r = pack_inflate(packed, max, ret);
	return r;
}

int envelope_rewrap(const struct masterkeys *keys, const struct envelope_context *context,
		    const void *blob, size_t n, struct envelope_blob *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(512);
	CLEANUP(secret_freep) struct secret *data_key = NULL;
	CLEANUP(secret_freep) struct secret *content_key = NULL;
	CLEANUP(envelope_blob_free) struct envelope_blob copy = {};
	struct binding b;
	int r = match_head(arena, context, blob, n, &b);

	if (!r)
		r = recover(keys, &b, blob, &data_key, &content_key);
	if (!r)
		r = blob_new(n, &copy);
	if (r)
		return r;
	memcpy(copy.data, blob, n);
	r = envelope_wrap(keys, &b, data_key, (struct head *)copy.data);
	if (r)
		return r;
	ret->len = copy.len;
	ret->data = TAKE(copy.data);
	return 0;
}

const char *envelope_error(int error)
{
	switch (error) {
	case -EPROTONOSUPPORT:
		return "this is no stored session, or one of a newer format: upgrade sessiond";
	case -EBADMSG:
		return "the stored session is damaged, or belongs to another row: restore it from "
		       "a backup, or sign in again";
	case -EKEYEXPIRED:
		return "it is sealed in a format whose time has ended here, so somebody has put it back: if you have restored a "
		       "backup, \"steadctl vault accept-restore\" takes it; else sign in again";
	case -ENOKEY:
		return "the master key it was stored under is not loaded: put that key's line back "
		       "into the key file";
	case -EKEYREJECTED:
		return "the master key of that number is not the one it was stored under, or its "
		       "wrapped key is damaged: put the right key back, or sign in again";
	case -EFBIG:
		return "the session is larger than the limit";
	case -ENOMEM:
		return "no memory that may be locked: raise LimitMEMLOCK=";
	default:
		return strerror(-error);
	}
}
