#include "sessiond/gcm.h"

#include <errno.h>
#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Everything but the tag. */
static int gcm_run(EVP_CIPHER_CTX *ctx, const struct gcm *g, const uint8_t *in, size_t n, uint8_t *out,
	       int encrypt)
{
	int done;

	if (n > INT_MAX || g->aad_len > INT_MAX)
		return -EIO;
	if (EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, g->key, g->nonce, encrypt) != 1)
		return -EIO;
	if (EVP_CipherUpdate(ctx, NULL, &done, g->aad, (int)g->aad_len) != 1)
		return -EIO;
	if (n && EVP_CipherUpdate(ctx, out, &done, in, (int)n) != 1)
		return -EIO;
	return 0;
}

static int encrypt_with(EVP_CIPHER_CTX *ctx, const struct gcm *g, const uint8_t *in, size_t n,
			uint8_t *out, uint8_t *tag)
{
	uint8_t none[GCM_TAG_LEN];
	int done, r = gcm_run(ctx, g, in, n, out, 1);

	if (r)
		return r;
	if (EVP_CipherFinal_ex(ctx, none, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG_LEN, tag) != 1)
		return -EIO;
	return 0;
}

static int decrypt_with(EVP_CIPHER_CTX *ctx, const struct gcm *g, const uint8_t *in, size_t n,
			const uint8_t *tag, uint8_t *out)
{
	uint8_t none[GCM_TAG_LEN];
	int done, r = gcm_run(ctx, g, in, n, out, 0);

	if (r)
		return r;
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG_LEN, (void *)tag) != 1)
		return -EIO;
	return EVP_CipherFinal_ex(ctx, none, &done) == 1 ? 0 : -EBADMSG;
}

int gcm_encrypt(const struct gcm *g, const uint8_t *in, size_t n, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int r = ctx ? encrypt_with(ctx, g, in, n, out, tag) : -EIO;

	EVP_CIPHER_CTX_free(ctx);
	return r;
}

int gcm_decrypt(const struct gcm *g, const uint8_t *in, size_t n, const uint8_t *tag, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int r = ctx ? decrypt_with(ctx, g, in, n, tag, out) : -EIO;

	EVP_CIPHER_CTX_free(ctx);
	if (r)
		OPENSSL_cleanse(out, n);
	return r;
}
