/*
 * The HTTP routes, made from the method tables of all daemons: which method a verb and a path mean.
 */
#pragma once

#include <jansson.h>

#include "proto/error.h"
#include "proto/method.h"

struct route {
	const struct method *method;
	const char *daemon; /* whose method it is */
};

/*
 * Finds the route among the rows of lists, which ends with NULL, as method_lists() does: that of verb ("HEAD" finds what "GET"
 * does) and path, which is percent-encoded as it came, from behind what all routes stand below. 0 with the path's parameters put
 * into params, a JSON object, typed by the method's rows; -ENOENT: no such path; -EPERM: not with this verb, allow (size bytes)
 * lists those that there are; -EINVAL with *why: a parameter in the path is wrong.
 */
int route_find(const struct method_list *const *lists, const char *verb, const char *path, json_t *params, struct route *ret,
	char *allow, size_t size, struct refusal *why);

/* Calls fn for each route, in the order of the tables. */
void routes_each(const struct method_list *const *lists, void (*fn)(const struct route *route, void *arg), void *arg);
