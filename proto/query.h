/*
 * Parameters out of an address: texts that the method's rows give a type (RFC 3986 section 2.1 for the encoding,
 * application/x-www-form-urlencoded for the query). Pure.
 */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "proto/error.h"
#include "proto/method.h"

/*
 * Adds name with the encoded text (n bytes) to params, as the row of that name wants it: numbers as numbers, "true" and
 * "false" as booleans, a repeated name to its list of texts. -EINVAL with *why: there is no such parameter, it stands
 * there twice, it is not to be given in an address, or the text is not what its type asks for. plus: a '+' is a space.
 */
int query_add(const struct field *rows, json_t *params, const char *name, const char *text, size_t n, bool plus,
	struct refusal *why);

/* Adds every name=value of a query string (NULL: none). At most 64 of them. */
int query_read(const struct field *rows, json_t *params, const char *query, struct refusal *why);

/* Adds the members of body, new or borrowed, to params; a name that is there already is refused. */
int query_merge(json_t *params, json_t *body, struct refusal *why);
