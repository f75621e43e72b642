#include "proto/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/query.h"
#include "common/must.h"
#include "common/words.h"

struct routes {
	size_t count;
	struct route *all;
};

struct routes *routes_new(const struct method_list *const *lists)
{
	struct routes *routes = must(calloc(1, sizeof(*routes)));

	for (; *lists; lists++) {
		for (size_t i = 0; i < (*lists)->count; i++) {
			const struct method *m = (*lists)->methods[i];
			if (!m->verb)
				continue;
			routes->all = must(reallocarray(routes->all, routes->count + 1, sizeof(*routes->all)));
			routes->all[routes->count++] = (struct route){ .method = m, .daemon = (*lists)->daemon };
		}
	}
	return routes;
}

struct routes *routes_free(struct routes *routes)
{
	if (!routes)
		return NULL;
	free(routes->all);
	free(routes);
	return NULL;
}

/*
 * Walks template and path together. fn, if any, is called for each {name}. True when they match to the end; an empty
 * segment matches no parameter.
 */
static bool walk(const char *template, const char *path,
	int (*fn)(const char *name, size_t name_n, const char *text, size_t n, void *arg), void *arg, int *ret)
{
	while (*template && *path) {
		if (*template != '{') {
			if (*template++ != *path++)
				return false;
			continue;
		}
		size_t name_n = strcspn(++template, "}"), n = strcspn(path, "/");
		if (n == 0)
			return false;
		if (fn && *ret == 0)
			*ret = fn(template, name_n, path, n, arg);
		template += name_n + 1;
		path += n;
	}
	return !*template && !*path;
}

struct filling {
	const struct method *method;
	json_t *params;
	struct refusal *why;
};

static int route_fill(const char *name, size_t name_n, const char *text, size_t n, void *arg)
{
	struct filling *f = arg;
	char copy[64] = "";

	memcpy(copy, name, name_n < sizeof(copy) ? name_n : sizeof(copy) - 1); /* of a row's path: {id} */
	return query_add(f->method->params(), f->params, copy, text, n, false, f->why);
}

static void add_allowed(const char *verb, char *allow, size_t size)
{
	if (!strstr(allow, verb))
		words_add(allow, size, "%s%s%s", *allow ? ", " : "", verb, strcmp(verb, "GET") == 0 ? ", HEAD" : "");
}

int route_find(const struct routes *routes, const char *verb, const char *path, json_t *params, struct route *ret,
	char *allow, size_t size, struct refusal *why)
{
	int r = 0;

	*allow = '\0';
	if (strcmp(verb, "HEAD") == 0)
		verb = "GET";
	for (size_t i = 0; i < routes->count; i++) {
		const struct route *route = &routes->all[i];
		if (!walk(route->method->path, path, NULL, NULL, NULL))
			continue;
		if (strcmp(route->method->verb, verb) != 0) {
			add_allowed(route->method->verb, allow, size);
			continue;
		}
		struct filling f = { route->method, params, why };
		walk(route->method->path, path, route_fill, &f, &r);
		if (r == 0)
			*ret = *route;
		return r;
	}
	return *allow ? -EPERM : -ENOENT;
}

void routes_each(const struct routes *routes, void (*fn)(const struct route *route, void *arg), void *arg)
{
	for (size_t i = 0; i < routes->count; i++)
		fn(&routes->all[i], arg);
}
