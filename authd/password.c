#include "authd/password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <argon2.h>
#include <openssl/rand.h>
#include <zxcvbn.h>

#include "common/worker.h"

#define SALT  16
#define HASH  32
#define LANES 1

struct hashing {
	const struct password_cost *cost;
	const char *password;
	uint8_t salt[SALT];
	char *encoded;
	int result; /* libargon2's */
};

/* On a worker thread. */
static void hash(void *arg)
{
	struct hashing *h = arg;

	h->result = argon2id_hash_encoded(h->cost->passes, h->cost->memory_kib, LANES, h->password,
		strlen(h->password), h->salt, SALT, HASH, h->encoded, PASSWORD_ENCODED);
}

int password_hash(struct worker_pool *pool, const struct password_cost *cost, const char *password, int64_t deadline,
	char ret[PASSWORD_ENCODED])
{
	char encoded[PASSWORD_ENCODED];
	struct hashing h = { .cost = cost, .password = password, .encoded = encoded };
	int r;

	if (RAND_bytes(h.salt, sizeof(h.salt)) != 1)
		return -EIO;
	r = worker_run(pool, hash, &h, deadline);
	if (r < 0)
		return r;
	if (h.result != ARGON2_OK)
		return h.result == ARGON2_MEMORY_ALLOCATION_ERROR ? -ENOMEM : -EINVAL;
	memcpy(ret, encoded, sizeof(encoded));
	return 0;
}

struct verifying {
	const char *encoded, *password;
	int result;
};

/* On a worker thread. */
static void verify(void *arg)
{
	struct verifying *v = arg;

	v->result = argon2id_verify(v->encoded, v->password, strlen(v->password));
}

int password_verify(struct worker_pool *pool, const char *encoded, const char *password, int64_t deadline,
	bool *ret_right)
{
	struct verifying v = { .encoded = encoded, .password = password };
	int r = worker_run(pool, verify, &v, deadline);

	if (r < 0)
		return r;
	if (v.result == ARGON2_MEMORY_ALLOCATION_ERROR)
		return -ENOMEM;
	if (v.result != ARGON2_OK && v.result != ARGON2_VERIFY_MISMATCH)
		return -EBADMSG;
	*ret_right = v.result == ARGON2_OK;
	return 0;
}

bool password_is_weaker(const char *encoded, const struct password_cost *cost)
{
	unsigned version, memory, passes;

	if (sscanf(encoded, "$argon2id$v=%u$m=%u,t=%u,", &version, &memory, &passes) != 3)
		return true;
	return version < ARGON2_VERSION_NUMBER || memory < cost->memory_kib || passes < cost->passes;
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80; /* all bytes of UTF-8 but the following ones */
	return n;
}

const char *password_refusal(const char *password, const char *const *own)
{
	if (characters(password) < PASSWORD_LEAST)
		return "The password is shorter than 15 characters; four or five unrelated words are easy to remember.";
	if (strlen(password) > PASSWORD_MOST)
		return "The password is longer than 256 bytes; take a shorter one.";
	if (ZxcvbnMatch(password, (const char **)own, NULL) < PASSWORD_LEAST_BITS)
		return "The password is made of common words, names, repetitions or sequences, which are tried first; "
		       "add words that only you would put together.";
	return NULL;
}
