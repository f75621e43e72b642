#include "http/trust.h"

#include <string.h>

#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#define KEY_HASH 44 /* base64 of 32 bytes */

static bool key_is_trusted(const struct http_config *c, X509 *certificate)
{
	unsigned char *der = NULL, digest[SHA256_DIGEST_LENGTH], base64[KEY_HASH + 1];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (n < 0)
		return false;
	SHA256(der, (size_t)n, digest);
	OPENSSL_free(der);
	EVP_EncodeBlock(base64, digest, sizeof(digest));
	for (size_t i = 0; i < c->trusted_count; i++)
		if (strcmp(c->trusted_keys[i], (const char *)base64) == 0)
			return true;
	return false;
}

static void expect_host(X509_STORE_CTX *ctx, const struct host *host)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

	if (host->literal)
		X509_VERIFY_PARAM_set1_ip_asc(p, host->name);
	else
		X509_VERIFY_PARAM_set1_host(p, host->name, 0);
}

static int verify_certificate(X509_STORE_CTX *ctx, void *arg)
{
	struct transfer *t = arg;

	expect_host(ctx, &t->place.host);
	if (X509_verify_cert(ctx) == 1)
		return 1;
	if (key_is_trusted(&t->http->config, X509_STORE_CTX_get0_cert(ctx))) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	t->distrust = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	return 0;
}

static CURLcode take_context(CURL *, void *context, void *arg)
{
	SSL_CTX_set_cert_verify_callback(context, verify_certificate, arg);
	return CURLE_OK;
}

void trust_of(struct transfer *t)
{
	curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L); /* expect_host() does */
	curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_FUNCTION, take_context);
	curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_DATA, t);
}
