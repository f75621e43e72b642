#include "cli/value.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/must.h"
#include "common/words.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static char *duration(long long ms)
{
	if (ms < 60000)
		return exact_new("%lld.%lld s", ms / 1000, ms % 1000 / 100);
	if (ms < 3600000)
		return exact_new("%lld min %lld s", ms / 60000, ms % 60000 / 1000);
	if (ms < 86400000)
		return exact_new("%lld h %lld min", ms / 3600000, ms % 3600000 / 60000);
	return exact_new("%lld d %lld h", ms / 86400000, ms % 86400000 / 3600000);
}

static char *moment(long long ms)
{
	time_t t = (time_t)(ms / 1000);
	char text[64];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm);
	return strdup(text);
}

static bool is_moment(const char *name)
{
	return strcmp(name, "at_ms") == 0 || ends_with(name, "_at_ms");
}

static char *number(const char *name, long long n)
{
	if (is_moment(name))
		return n ? moment(n) : strdup("");
	return ends_with(name, "_ms") ? duration(n) : exact_new("%lld", n);
}

/* A mark that turns the direction of the line around: U+202A to 202E, U+2066 to 2069. */
static bool is_direction(const char *c)
{
	const unsigned char *u = (const unsigned char *)c;

	return u[0] == 0xe2 && ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) || (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

char *value_plain(const char *text)
{
	char *copy = must(strdup(text));

	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
		else if ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0) /* C1: a no-break space instead */
			c[1] = (char)0xa0;
		else if (is_direction(c))
			memset(c, ' ', 3);
	}
	return copy;
}

/* Takes text and more over: "a, b". */
static char *add_part(char *text, const char *head, char *more)
{
	char *all = exact_new("%s%s%s%s%s", text, *text ? ", " : "", head, *head ? " " : "", more);

	free(text);
	free(more);
	return all;
}

/* What a row holds beyond single values, on one line: "date 2026-11-26, desk D-204". */
static char *parts(const char *name, const json_t *v)
{
	char *text = strdup("");
	const char *key;
	json_t *part;
	size_t i;

	/* Of a list of things, what they are called. */
	json_array_foreach((json_t *)v, i, part)
		text = add_part(text, "", value_words(name, json_object_get(part, "name") ?: part));
	json_object_foreach((json_t *)v, key, part) {
		CLEANUP(freep) char *plain = value_plain(key);
		CLEANUP(freep) char *head = value_title(plain);
		text = add_part(text, head, value_words(key, part));
	}
	return text;
}

char *value_words(const char *name, const json_t *v)
{
	if (!v)
		return strdup("");
	switch (json_typeof(v)) {
	case JSON_OBJECT:
	case JSON_ARRAY: return parts(name, v);
	case JSON_STRING: return value_plain(json_string_value(v));
	case JSON_INTEGER: return number(name, json_integer_value(v));
	case JSON_TRUE: return strdup("yes");
	case JSON_FALSE: return strdup("no");
	default: return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	}
}

char *value_title(const char *name)
{
	char *t = must(strdup(name));

	if (ends_with(t, "_at_ms"))
		t[strlen(t) - 6] = '\0';
	else if (ends_with(t, "_ms"))
		t[strlen(t) - 3] = '\0';
	for (char *c = t; *c; c++)
		if (*c == '_')
			*c = ' ';
	return t;
}
