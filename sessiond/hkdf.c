#include "sessiond/hkdf.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static int hkdf_derive(EVP_KDF_CTX *ctx, const struct hkdf_input *in, uint8_t *out, size_t n)
{
	OSSL_PARAM params[5], *p = params;

	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)in->key, in->key_len);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)in->info,
						 in->info_len);
	if (in->salt)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)in->salt,
							 in->salt_len);
	*p = OSSL_PARAM_construct_end();
	return EVP_KDF_derive(ctx, out, n, params) == 1 ? 0 : -EIO;
}

int hkdf_sha256(const struct hkdf_input *in, uint8_t *out, size_t n)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int r = ctx ? hkdf_derive(ctx, in, out, n) : -EIO;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return r;
}
