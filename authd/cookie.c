#include "authd/cookie.h"

#include <stdio.h>
#include <string.h>

const char *cookie_login_name(bool https)
{
	return https ? "__Host-stead" : "stead";
}

const char *cookie_device_name(bool https)
{
	return https ? "__Host-stead-device" : "stead-device";
}

bool cookie_find(const char *header, const char *name, char *out, size_t size)
{
	size_t n = strlen(name), found = 0;

	while (header && *header) {
		size_t length;
		header += strspn(header, "; ");
		length = strcspn(header, ";");
		if (length > n && strncmp(header, name, n) == 0 && header[n] == '=') {
			if (++found > 1 || length - n > size)
				return false;
			memcpy(out, header + n + 1, length - n - 1);
			out[length - n - 1] = '\0';
		}
		header += length;
	}
	return found == 1;
}

void cookie_build(char out[COOKIE_MOST], const char *name, const char *value, bool https, int64_t max_age_s)
{
	char age[40] = "";

	if (max_age_s)
		snprintf(age, sizeof(age), "; Max-Age=%lld", max_age_s > 0 ? (long long)max_age_s : 0LL);
	snprintf(out, COOKIE_MOST, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", name, value, https ? "; Secure" : "",
		age);
}
