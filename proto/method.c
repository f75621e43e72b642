#include "proto/method.h"

#include <string.h>

const struct field *field_named(const struct field *rows, const char *name)
{
	for (; rows->kind != FIELD_END; rows++)
		if (rows->name && strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

int64_t method_cursor(const struct method *method, const void *item)
{
	const struct field *f = field_named(method->result(), METHOD_CURSOR);

	return f ? *(const int64_t *)(const void *)((const char *)item + f->offset) : 0;
}

bool method_reads(const struct method *method)
{
	return method->reads || method->streams || (method->verb && strcmp(method->verb, "GET") == 0);
}

const char *role_word(enum role role)
{
	switch (role) {
	case ROLE_FRONT: return "front";
	case ROLE_STREAM: return "stream";
	case ROLE_VAULT: return "vault";
	case ROLE_BOT: return "bot";
	case ROLE_CONTROL: return "control";
	case ROLE_VIEWER: return "viewer";
	case ROLE_LAUNCHER: return "launcher";
	}
	return "?";
}
