#include "recipe/place.h"

#include <stdbool.h>
#include <string.h>

#include "common/words.h"

struct cursor {
	const char *p, *end;
	unsigned line;
};

void place_print(const struct place *p, char *out, size_t size)
{
	size_t used;

	if (size)
		*out = '\0';
	if (!p->up)
		return;
	place_print(p->up, out, size);
	used = strlen(out);
	if (p->key)
		words_add(out, size, "%s%s", used ? "." : "", p->key);
	else
		words_add(out, size, "[%zu]", p->index);
}

static void place_step(struct cursor *c)
{
	if (*c->p == '\n')
		c->line++;
	c->p++;
}

static void place_skip_space(struct cursor *c)
{
	while (c->p < c->end && strchr(" \t\r\n,:", *c->p) && *c->p)
		place_step(c);
}

/* Over a string; what stands between the quotes, escapes and all. */
static void skip_string(struct cursor *c, const char **ret, size_t *ret_length)
{
	*ret = ++c->p;
	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\')
			place_step(c);
		if (c->p < c->end)
			place_step(c);
	}
	*ret_length = (size_t)(c->p - *ret);
	if (c->p < c->end)
		c->p++;
}

/* Over a value of any depth, without recursion: the text is known to be well-formed. */
static void skip_value(struct cursor *c)
{
	const char *s;
	size_t n, depth = 0;

	do {
		place_skip_space(c);
		if (c->p >= c->end)
			return;
		if (*c->p == '"') {
			skip_string(c, &s, &n);
		} else if (strchr("{[", *c->p)) {
			depth++;
			c->p++;
		} else if (strchr("}]", *c->p)) {
			depth--;
			c->p++;
		} else {
			while (c->p < c->end && !strchr(" \t\r\n,:]}", *c->p))
				c->p++;
		}
	} while (depth > 0);
}

/* To the member's name, or the item; false, with the cursor back, if it is not there. */
static bool place_enter(struct cursor *c, const struct place *p)
{
	struct cursor at = *c;
	const char *name;
	size_t n;

	place_skip_space(&at);
	if (at.p >= at.end || *at.p != (p->key ? '{' : '['))
		return false;
	at.p++;
	for (size_t i = 0;; i++) {
		place_skip_space(&at);
		if (at.p >= at.end || *at.p == '}' || *at.p == ']')
			return false;
		*c = p->key || i == p->index ? at : *c;
		if (p->key) {
			unsigned line = at.line;
			skip_string(&at, &name, &n);
			place_skip_space(&at);
			if (strlen(p->key) == n && memcmp(name, p->key, n) == 0) {
				*c = at;
				c->line = line;
				return true;
			}
		} else if (i == p->index) {
			return true;
		}
		skip_value(&at);
	}
}

static bool place_follow(struct cursor *c, const struct place *p)
{
	struct cursor before;

	if (!p->up)
		return true;
	if (!place_follow(c, p->up))
		return false;
	before = *c;
	if (place_enter(c, p))
		return true;
	*c = before;
	return false;
}

unsigned place_line(const struct place *p, const char *text, size_t n)
{
	struct cursor c = { .p = text, .end = text + n, .line = 1 };

	place_follow(&c, p);
	if (!p->up)
		place_skip_space(&c);
	return c.line;
}
