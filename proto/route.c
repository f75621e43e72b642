#include "proto/route.h"

#include <errno.h>
#include <string.h>

#include "common/words.h"
#include "proto/query.h"

/* What a path's parameters are put into. */
struct filling {
	const struct method *method;
	json_t *params;
	struct refusal *why;
	int r;
};

static int route_fill(const struct filling *f, const char *name, size_t name_n, const char *text, size_t n)
{
	char copy[64] = "";

	memcpy(copy, name, name_n < sizeof(copy) ? name_n : sizeof(copy) - 1); /* of a row's path: {id} */
	return query_add(f->method->params(), f->params, copy, text, n, false, f->why);
}

/*
 * Walks template and path together, and takes each {name} if f is given. True when they match to the end; an empty segment
 * matches no parameter.
 */
static bool walk(const char *template, const char *path, struct filling *f)
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
		if (f && f->r == 0)
			f->r = route_fill(f, template, name_n, path, n);
		template += name_n + 1;
		path += n;
	}
	return !*template && !*path;
}

static void add_allowed(const char *verb, char *allow, size_t size)
{
	if (!strstr(allow, verb))
		words_add(allow, size, "%s%s%s", *allow ? ", " : "", verb, strcmp(verb, "GET") == 0 ? ", HEAD" : "");
}

int route_find(const struct method_list *const *lists, const char *verb, const char *path, json_t *params, struct route *ret,
	char *allow, size_t size, struct refusal *why)
{
	*allow = '\0';
	if (strcmp(verb, "HEAD") == 0)
		verb = "GET";
	for (; *lists; lists++) {
		for (size_t i = 0; i < (*lists)->count; i++) {
			const struct method *m = (*lists)->methods[i];
			struct filling f = { m, params, why, 0 };
			if (!m->verb || !walk(m->path, path, NULL))
				continue;
			if (strcmp(m->verb, verb) != 0) {
				add_allowed(m->verb, allow, size);
				continue;
			}
			walk(m->path, path, &f);
			if (f.r == 0)
				*ret = (struct route){ m, (*lists)->daemon };
			return f.r;
		}
	}
	return *allow ? -EPERM : -ENOENT;
}

void routes_each(const struct method_list *const *lists, void (*fn)(const struct route *route, void *arg), void *arg)
{
	for (; *lists; lists++)
		for (size_t i = 0; i < (*lists)->count; i++)
			if ((*lists)->methods[i]->verb)
				fn(&(struct route){ (*lists)->methods[i], (*lists)->daemon }, arg);
}
