#include "streamd/cookie.h"

#include <string.h>

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

bool cookie_value(const char *header, const char *name, char *out, size_t size)
{
	const char *value = find(header, name);
	size_t n = value ? strcspn(value, "; \t") : 0;

	out[0] = '\0';
	if (!value || n >= size || find(value + n, name))
		return false;
	memcpy(out, value, n);
	out[n] = '\0';
	return true;
}
