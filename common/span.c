#include "common/span.h"

#include <strings.h>

bool span_is(struct span s, const char *word)
{
	return s.n == strlen(word) && (s.n == 0 || memcmp(s.p, word, s.n) == 0);
}

bool span_names(struct span s, const char *word)
{
	return s.n == strlen(word) && (s.n == 0 || strncasecmp(s.p, word, s.n) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	for (; s.n > 0 && is_blank(*s.p); s.n--)
		s.p++;
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool span_cut(struct span *rest, char c, struct span *ret)
{
	const char *end = rest->n ? memchr(rest->p, c, rest->n) : NULL;

	if (!end)
		return false;
	*ret = (struct span){ rest->p, (size_t)(end - rest->p) };
	*rest = (struct span){ end + 1, rest->n - ret->n - 1 };
	return true;
}

bool span_cut_line(struct span *rest, struct span *ret)
{
	struct span line;

	if (!span_cut(rest, '\n', &line) || line.n == 0 || line.p[line.n - 1] != '\r')
		return false;
	line.n--;
	*ret = line;
	return !memchr(line.p, '\r', line.n) && !memchr(line.p, '\0', line.n);
}

bool span_next(struct span *rest, const char *separators, struct span *ret)
{
	size_t n = 0;

	if (!rest->p)
		return false;
	while (n < rest->n && !(rest->p[n] && strchr(separators, rest->p[n])))
		n++;
	*ret = (struct span){ rest->p, n };
	*rest = n < rest->n ? (struct span){ rest->p + n + 1, rest->n - n - 1 } : (struct span){ 0 };
	return true;
}

bool span_lists(const char *list, const char *separators, const char *word)
{
	struct span rest = span_of(list), each;

	while (*word && span_next(&rest, separators, &each))
		if (span_is(each, word))
			return true;
	return false;
}

bool span_is_token(struct span s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], lower = (char)(c | 0x20);
		if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z') && !memchr(others, c, sizeof(others) - 1))
			return false;
	}
	return s.n > 0;
}
