#include "sessiond/fingerprint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SITE_MAX    64
#define DIGEST_USED 20

int fingerprint_background(const struct secret *salt, int64_t user, const char *site,
	char out[static FINGERPRINT_SIZE])
{
	uint8_t input[8 + SITE_MAX], digest[EVP_MAX_MD_SIZE];
	size_t n = strlen(site);

	if (n > SITE_MAX)
		return -EINVAL;
	for (int i = 0; i < 8; i++)
		input[i] = (uint8_t)((uint64_t)user >> (56 - 8 * i));
	memcpy(input + 8, site, n);
	if (!HMAC(EVP_sha256(), salt->data, (int)salt->len, input, 8 + n, digest, NULL))
		return -EIO;
	strcpy(out, "bg-");
	for (int i = 0; i < DIGEST_USED; i++)
		sprintf(out + 3 + 2 * i, "%02x", digest[i]);
	return 0;
}
