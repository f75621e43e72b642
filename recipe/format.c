#include "recipe/format.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "common/words.h"
#include "recipe/chord.h"
#include "recipe/pattern.h"
#include "recipe/pointer.h"

#define ZONES "/usr/share/zoneinfo"

/* What holds for every text is looked at in format_check(). */
static const char *plain_wrong(const char *)
{
	return NULL;
}

static const char *name_wrong(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return islower((unsigned char)*s) && !s[n] ? NULL :
		"is not a name: lower-case letters, digits, _ and -, beginning with a letter";
}

static const char *attribute_wrong(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return "is not the name of an attribute";
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("_:.-", *s))
			return "is not the name of an attribute";
	}
	return NULL;
}

/* What a page would be told of a file's place is its name alone. */
static const char *file_name_wrong(const char *s)
{
	return strpbrk(s, "/\\") ? "is no file's name: it has a slash" : NULL;
}

static const char *media_type_wrong(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");

	if (!n || s[n] != '/' || !s[n + 1] ||
	    s[n + 1 + strspn(s + n + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-")])
		return "is no media type, as in text/csv";
	return NULL;
}

/* Only what needs no parser of CSS: quotes and brackets come in pairs. The browser says the rest. */
static const char *css_wrong(const char *s)
{
	char open[32];
	size_t depth = 0;
	char quote = '\0';

	for (; *s; s++) {
		if (*s == '\\' && s[1]) {
			s++;
		} else if (quote) {
			quote = *s == quote ? '\0' : quote;
		} else if (*s == '"' || *s == '\'') {
			quote = *s;
		} else if (strchr("[(", *s)) {
			if (depth == sizeof(open))
				return "is nested too deeply for a CSS selector";
			open[depth++] = *s == '[' ? ']' : ')';
		} else if (strchr("])", *s) && (depth == 0 || open[--depth] != *s)) {
			return "is not a CSS selector: its brackets do not match";
		}
	}
	if (quote)
		return "is not a CSS selector: a quotation mark is not closed";
	return depth ? "is not a CSS selector: its brackets do not match" : NULL;
}

/* Scheme and host stand before the first variable, so that no input can choose where a browser goes. */
static const char *url_template_wrong(const char *s)
{
	size_t scheme = strncmp(s, "https://", 8) == 0 ? 8 : strncmp(s, "http://", 7) == 0 ? 7 : 0;
	const char *path = scheme ? strchr(s + scheme, '/') : NULL, *brace = strchr(s, '{');

	if (!scheme || strpbrk(s, " \\"))
		return "is not an address, as in https://desk.test/day/{date}";
	if (brace && (!path || brace < path))
		return "needs its host before the first variable";
	return NULL;
}

/* Nothing fills in variables there: a brace would go to the site as it stands. */
static const char *fixed_url_wrong(const char *s)
{
	return strpbrk(s, "{}") ? "has a brace; variables are known in actions only" : url_wrong(s);
}

static const char *address_wrong(const char *s)
{
	unsigned char bytes[16];

	return inet_pton(strchr(s, ':') ? AF_INET6 : AF_INET, s, bytes) == 1 ? NULL :
		"is not an IP address, as in 127.0.0.1";
}

static const char *variable_wrong(const char *s)
{
	return name_wrong(s) || strchr(s, '-') ? "is no name of a variable: lower-case letters, digits and _, beginning with a letter" : NULL;
}

/* A token (RFC 9110 section 5.6.2), of what the one who sends does not write itself. */
static const char *field_name_wrong(const char *s)
{
	static const char *const own[] = { "host", "cookie", "content-length", "content-type", "connection",
		"transfer-encoding", "user-agent", "accept-encoding", "accept-language", "expect", "upgrade" };

	if (s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+.^_`|~-")])
		return "is not the name of a header field";
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strcasecmp(s, own[i]) == 0)
			return "is a header field that Stead writes itself";
	return NULL;
}

static const char *locale_wrong(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return (n == 2 || n == 3) && (!s[n] || s[n] == '-') && s[strlen(s) - 1] != '-' ? NULL :
		"is not a language, as in en-US";
}

/* A machine without tzdata can judge the form alone. */
static const char *zone_wrong(const char *s)
{
	char path[128];

	if (strstr(s, "..") || *s == '/' || strlen(s) > 64 ||
	    s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")])
		return "is not a time zone, as in Europe/Madrid";
	exact_must(path, sizeof(path), ZONES "/%s", s);
	if (strcmp(s, "UTC") == 0 || access(ZONES "/UTC", F_OK) != 0 || access(path, F_OK) == 0)
		return NULL;
	return "is no time zone that this machine knows, as Europe/Madrid would be";
}

const struct format_row format_rows[] = {
#define FORMAT(name_, check_, pattern_, template_, escape_)                                        \
	[FORMAT_##name_] = { #name_, check_, pattern_, template_, escape_ },
	FORMATS
#undef FORMAT
};

const char *format_check(enum format f, const char *s, bool template)
{
	if (!*s)
		return f == FORMAT_VALUE || f == FORMAT_PLACE ? NULL : "is empty";
	for (const char *c = s; *c; c++) {
		if (iscntrl((unsigned char)*c) && !(f == FORMAT_CONTENT && strchr("\t\r\n", *c)))
			return "is followed by a control character, such as a line end; none may be there";
	}
	if (f == FORMAT_URL_TEMPLATE && !template)
		return url_wrong(s);
	return format_rows[f].check(s);
}
