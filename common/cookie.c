#include "common/cookie.h"

#include <string.h>

#include "common/words.h"

const char *cookie_login_name(bool https)
{
	return https ? "__Host-stead" : "stead";
}

const char *cookie_device_name(bool https)
{
	return https ? "__Host-stead-device" : "stead-device";
}

/* The next value of that name at or after p, or NULL. */
static const char *find(const char *p, const char *name)
{
	size_t n = strlen(name);

	for (;; p += strcspn(p, ";")) {
		p += strspn(p, "; \t");
		if (!*p)
			return NULL;
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
	}
}

bool cookie_find(const char *header, const char *name, char *out, size_t size)
{
	const char *value = header ? find(header, name) : NULL;
	size_t n = value ? strcspn(value, "; \t") : 0;

	out[0] = '\0';
	if (!value || n >= size || find(value + n, name))
		return false;
	memcpy(out, value, n);
	out[n] = '\0';
	return true;
}

void cookie_build(char out[COOKIE_MOST], const char *name, const char *value, bool https, int64_t max_age_s)
{
	char age[40] = "";

	if (max_age_s)
		exact_must(age, sizeof(age), "; Max-Age=%lld", max_age_s > 0 ? (long long)max_age_s : 0LL);
	exact_must(out, COOKIE_MOST, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", name, value, https ? "; Secure" : "", age);
}
