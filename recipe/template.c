#include "recipe/template.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/nearest.h"
#include "common/words.h"
#include "recipe/date.h"

#define LONGEST 8192

struct variables variables_with(struct arena *arena, struct variables v, const char *name, const char *value)
{
	struct variable *items = arena_array(arena, v.count + 1, sizeof(*items));

	items[0] = (struct variable){ .name = name, .value = value };
	if (v.count)
		memcpy(items + 1, v.items, v.count * sizeof(*items));
	return (struct variables){ .items = items, .count = v.count + 1 };
}

/* A text as it grows; too long is noticed at the end. */
struct out {
	char text[LONGEST];
	size_t length;
	bool full;
	char *why;
	size_t size;
};

#define template_fail(o_, ...) words_fail(-EINVAL, (o_)->why, (o_)->size, __VA_ARGS__)

static void template_put(struct out *o, const char *s, size_t n)
{
	if (n >= sizeof(o->text) - o->length) {
		o->full = true;
		return;
	}
	memcpy(o->text + o->length, s, n);
	o->length += n;
}

static void template_put_value(struct out *o, const char *s, enum escape escape)
{
	bool css = escape == ESCAPE_CSS;
	char hex[8];

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (escape == ESCAPE_NONE || isalnum(c) || strchr(css ? "_-" : "-._~", c) || (css && c >= 0x80)) {
			template_put(o, s, 1);
			continue;
		}
		exact_must(hex, sizeof(hex), css ? "\\%x " : "%%%02X", c);
		template_put(o, hex, strlen(hex));
	}
}

/* Our programs never call setlocale(3), so this is English. */
static int format_date(struct out *o, const char *format, const struct tm *tm, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (const char *f = format; *f; f++) {
		char one[4];
		bool bare; /* no padding */

		if (*f != '%') {
			out[used++] = *f;
			out[used] = '\0';
		} else {
			bare = *++f == '-';
			f += bare;
			if (!*f || !strchr("aAbBdejmyYF%", *f))
				return template_fail(o, "has a date format \"%s\" that is not known here", format);
			exact_must(one, sizeof(one), "%%%s%c", bare ? "-" : "", *f);
			used += strftime(out + used, size - used, one, tm);
		}
		if (used >= size - 16)
			return template_fail(o, "has too long a date format");
	}
	return 0;
}

static const struct variable *template_find(struct out *o, const struct variables *v, const char *name)
{
	struct nearest near = nearest_to(name);

	for (size_t i = 0; i < v->count; i++) {
		if (strcmp(v->items[i].name, name) == 0)
			return &v->items[i];
		nearest_consider(&near, v->items[i].name);
	}
	if (near.name)
		template_fail(o, "has an unknown variable {%s}; did you mean {%s}?", name, near.name);
	else
		template_fail(o, "has an unknown variable {%s}; it is no input of this action", name);
	return NULL;
}

/* name, name|format or name|label. */
static int put_variable(struct out *o, char *name, const struct variables *v, enum escape escape)
{
	char *format = strchr(name, '|'), text[256];
	const struct variable *var;
	struct tm tm;

	if (format)
		*format++ = '\0';
	var = template_find(o, v, name);
	if (!var)
		return -EINVAL;
	if (!format || (var->label && strcmp(format, "label") == 0)) {
		template_put_value(o, format ? var->label : var->value, escape);
		return 0;
	}
	if (strcmp(format, "label") == 0)
		return template_fail(o, "wants the label of {%s}, but it is no choice", name);
	if (!var->date || date_parse(var->value, &tm) < 0)
		return template_fail(o, "gives {%s} a date format, but it is no date", name);
	if (format_date(o, format, &tm, text, sizeof(text)) < 0)
		return -EINVAL;
	template_put_value(o, text, escape);
	return 0;
}

/* One brace or variable at *s, which moves past it. */
static int put_brace(struct out *o, const char **s, const struct variables *v, enum escape escape)
{
	char name[128];
	size_t n;

	if ((*s)[0] == (*s)[1]) {
		template_put(o, *s, 1);
		*s += 2;
		return 0;
	}
	n = strcspn(*s + 1, "{}");
	if (**s == '}' || (*s)[1 + n] != '}' || n == 0 || n >= sizeof(name))
		return template_fail(o, "has a brace that is no variable; write {{ or }} for a brace");
	memcpy(name, *s + 1, n);
	name[n] = '\0';
	*s += n + 2;
	return put_variable(o, name, v, escape);
}

int template_fill(struct arena *arena, const char *text, const struct variables *v, enum escape escape,
	const char **ret, char *why, size_t size)
{
	struct out o = { .why = why, .size = size };

	*why = '\0';
	while (*text) {
		size_t n = strcspn(text, "{}");

		template_put(&o, text, n);
		text += n;
		if (*text && put_brace(&o, &text, v, escape) < 0)
			return -EINVAL;
	}
	if (o.full)
		return template_fail(&o, "becomes longer than %d bytes", LONGEST);
	*ret = arena_memdup(arena, o.text, o.length);
	return 0;
}
