#include "proto/scope.h"

#include <string.h>

#include "common/span.h"
#include "common/words.h"

static const struct {
	enum scope scope;
	const char *word;
} scopes[] = {
	{ SCOPE_READ, "read" },
	{ SCOPE_ACT, "act" },
	{ SCOPE_SESSION_USE, "session_use" },
	{ SCOPE_SESSION_READ, "session_read" },
	{ SCOPE_ADMIN_READ, "admin_read" },
	{ SCOPE_ADMIN, "admin" },
};

#define COUNT (sizeof(scopes) / sizeof(*scopes))

void scopes_write(unsigned set, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < COUNT; i++)
		if (set & scopes[i].scope)
			words_add(text, size, "%s%s", *text ? " " : "", scopes[i].word);
}

unsigned scopes_read(const char *text)
{
	unsigned set = 0;

	for (size_t i = 0; i < COUNT; i++)
		if (span_lists(text, " ", scopes[i].word))
			set |= scopes[i].scope;
	return set;
}
