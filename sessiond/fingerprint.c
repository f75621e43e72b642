#include "sessiond/fingerprint.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/hex.h"

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
	memcpy(out, "bg-", 3);
	hex_set(out + 3, digest, DIGEST_USED);
	return 0;
}
