#include "recipe/place.h"

#include <stdbool.h>
#include <string.h>

#include "common/span.h"
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
static struct span skip_string(struct cursor *c)
{
	struct span s = { ++c->p, 0 };

	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\')
			place_step(c);
		if (c->p < c->end)
			place_step(c);
	}
	s.n = (size_t)(c->p - s.p);
	if (c->p < c->end)
		c->p++;
	return s;
}

/* Over a value of any depth, without recursion: the text is known to be well-formed. */
static void skip_value(struct cursor *c)
{
	size_t depth = 0;

	do {
		place_skip_space(c);
		if (c->p >= c->end)
			return;
		if (*c->p == '"') {
			skip_string(c);
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

/* Past the member's name, or to the item; false, with the cursor where it was, if it is not there. */
static bool place_enter(struct cursor *c, const struct place *p)
{
	struct cursor at = *c;
	bool there = false;

	place_skip_space(&at);
	if (at.p >= at.end || *at.p != (p->key ? '{' : '['))
		return false;
	at.p++;
	for (size_t i = 0; !there; i++) {
		place_skip_space(&at);
		if (at.p >= at.end || *at.p == '}' || *at.p == ']')
			return false;
		there = p->key ? span_is(skip_string(&at), p->key) : i == p->index;
		if (!there)
			skip_value(&at);
	}
	*c = at;
	return true;
}

static bool place_follow(struct cursor *c, const struct place *p)
{
	return !p->up || (place_follow(c, p->up) && place_enter(c, p));
}

unsigned place_line(const struct place *p, const char *text, size_t n)
{
	struct cursor c = { .p = text, .end = text + n, .line = 1 };

	place_follow(&c, p);
	if (!p->up)
		place_skip_space(&c);
	return c.line;
}
