#include "recipe/pointer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TOKEN 256 /* bytes; a longer one leads nowhere */

const char *pointer_wrong(const char *pointer)
{
	if (*pointer && *pointer != '/')
		return "is not a JSON Pointer, which begins with a slash, as in /bookings/0/id";
	for (const char *p = strchr(pointer, '~'); p; p = strchr(p + 1, '~'))
		if (p[1] != '0' && p[1] != '1')
			return "is not a JSON Pointer: write ~0 for a tilde and ~1 for a slash in a name";
	return NULL;
}

/* Up to the next slash; false: it is too long. */
static bool read_token(const char *pointer, size_t n, char *out)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < MOST_TOKEN - 1; i++) {
		bool escape = pointer[i] == '~' && i + 1 < n;

		out[k++] = escape ? (pointer[i + 1] == '1' ? '/' : '~') : pointer[i];
		i += escape;
	}
	out[k] = '\0';
	return k < MOST_TOKEN - 1;
}

/* An index has no leading zero (section 4). */
static json_t *find_item(json_t *array, const char *token)
{
	bool number = *token && strspn(token, "0123456789") == strlen(token) && (*token != '0' || !token[1]) && strlen(token) < 10;

	return number ? json_array_get(array, strtoul(token, NULL, 10)) : NULL;
}

json_t *pointer_find(json_t *document, const char *pointer)
{
	char token[MOST_TOKEN];
	json_t *v = document;

	while (v && *pointer == '/') {
		size_t n = strcspn(++pointer, "/");

		if (!read_token(pointer, n, token))
			return NULL;
		v = json_is_array(v) ? find_item(v, token) : json_object_get(v, token);
		pointer += n;
	}
	return v;
}
