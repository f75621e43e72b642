/*
 * Texts with variables: "{desk}" is the variable's value, "{date|%a %b %d %Y}" a date written as strftime(3) would in
 * English (a A b B d e j m y Y F and %%, each also with - for no padding), "{floor|label}" what people see of a choice, "{{" and "}}" are braces.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

struct variable {
	const char *name;
	const char *value; /* of a date: as in 2025-11-20 */
	bool date;
	const char *label; /* of a choice: what people see of it; NULL: it is none */
};

/* Borrowed. */
struct variables {
	const struct variable *items;
	size_t count;
};

/* The same and one more, which comes before one of the same name. In the arena; the texts are borrowed. */
struct variables variables_with(struct arena *arena, struct variables v, const char *name, const char *value);

/* How a value is written into its place, so that it can never be more than a value there. */
enum escape {
	ESCAPE_NONE,
	ESCAPE_CSS, /* for a quoted string or an identifier (CSSOM, 2.1) */
	ESCAPE_URL, /* all but RFC 3986's unreserved characters percent-encoded */
};

/* 0 with the text in the arena; -EINVAL with the reason, as the end of a sentence, in why (size bytes). */
int template_fill(struct arena *arena, const char *text, const struct variables *v, enum escape escape,
	const char **ret, char *why, size_t size);
