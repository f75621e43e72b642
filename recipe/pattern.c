#include "recipe/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/hostpattern.h"
#include "common/span.h"
#include "common/utf.h"
#include "common/words.h"

#define LONGEST_HOST 255

/* An address in its parts (RFC 3986, 3); each points into it. */
struct parts {
	bool secure;
	char host[LONGEST_HOST + 1]; /* without the brackets of an IPv6 address */
	int port;
	struct span path, query, fragment; /* query from its '?', fragment from its '#'; none if absent */
};

/* Whether all of t fits, in time of at most their product: greedy with one point to return to, the last star. */
static bool glob(struct span p, struct span t, bool fold)
{
	size_t i = 0, j = 0, star = p.n, mark = 0;

	while (j < t.n) {
		bool same = i < p.n && (fold ? tolower((unsigned char)p.p[i]) == tolower((unsigned char)t.p[j]) :
					       p.p[i] == t.p[j]);
		if (i < p.n && p.p[i] == '*') {
			star = i++;
			mark = j;
		} else if (same) {
			i++;
			j++;
		} else if (star < p.n) {
			i = star + 1;
			j = ++mark;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

bool glob_find(const char *pattern, const char *text)
{
	char around[600];

	return exact_set(around, sizeof(around), "*%s*", pattern) && glob(span_of(around), span_of(text), true);
}

const char *host_pattern_wrong(const char *pattern)
{
	struct hostpattern p;

	if (hostpattern_parse(pattern, &p) < 0)
		return "is not a host, as in desk.test, *.desk.test or localhost:8080";
	return p.below && !strchr(p.host.name, '.') ? "is too wide: at least two labels must follow the star" : NULL;
}

bool host_match(const char *pattern, const char *host)
{
	struct hostpattern p;
	struct host h;

	return hostpattern_parse(pattern, &p) == 0 && host_parse(host, strlen(host), &h) == 0 && hostpattern_has_host(&p, &h);
}

/* The authority (RFC 3986, 3.2) up to end; user information is refused, as no page's address has it. */
static bool pattern_split_authority(const char *s, const char *end, struct parts *ret)
{
	bool bracket = *s == '[';
	const char *stop = bracket ? memchr(s, ']', (size_t)(end - s)) : memchr(s, ':', (size_t)(end - s));
	const char *port;
	char *rest;
	long n;

	if (bracket && !stop)
		return false;
	stop = stop ? stop : end;
	s += bracket;
	if (stop - s > LONGEST_HOST)
		return false;
	memcpy(ret->host, s, (size_t)(stop - s));
	ret->host[stop - s] = '\0';
	port = stop + bracket;
	if (port == end)
		return true;
	if (*port != ':' || !isdigit((unsigned char)port[1]))
		return false;
	n = strtol(port + 1, &rest, 10);
	ret->port = (int)n;
	return rest == end && n > 0 && n < 65536;
}

static bool pattern_split(const char *url, struct parts *ret)
{
	const char *s, *end;

	*ret = (struct parts){ .secure = strncasecmp(url, "https://", 8) == 0 };
	if (!ret->secure && strncasecmp(url, "http://", 7) != 0)
		return false;
	s = url + (ret->secure ? 8 : 7);
	ret->port = ret->secure ? 443 : 80;
	end = s + strcspn(s, "/?#");
	if (!pattern_split_authority(s, end, ret))
		return false;
	ret->path = *end == '/' ? (struct span){ end, strcspn(end, "?#") } : span_of("/");
	s = *end == '/' ? end + ret->path.n : end;
	if (*s == '?')
		ret->query = (struct span){ s, strcspn(s, "#") };
	s += ret->query.n;
	ret->fragment = span_of(*s == '#' ? s : NULL);
	return true;
}

bool host_match_url(const char *pattern, const char *url)
{
	struct hostpattern p;
	struct parts parts;

	return host_match(pattern, pattern_split(url, &parts) ? parts.host : "") && hostpattern_parse(pattern, &p) == 0 &&
		hostpattern_has_port(&p, (uint16_t)parts.port);
}

int url_port(const char *url)
{
	struct parts p;

	return pattern_split(url, &p) ? p.port : 0;
}

static bool usable(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == '\\' || *s == 0x7f)
			return false;
	}
	return true;
}

const char *url_wrong(const char *url)
{
	struct parts p;
	struct host host;

	if (!usable(url) || !pattern_split(url, &p) || host_parse(p.host, strlen(p.host), &host) < 0)
		return "is not an address, as in https://desk.test/login";
	return NULL;
}

const char *url_pattern_wrong(const char *pattern)
{
	struct parts p;

	if (!usable(pattern) || !pattern_split(pattern, &p))
		return "is not an address pattern, as in https://desk.test/finder*";
	if (strpbrk(pattern, "{}"))
		return "has a brace; a pattern takes no variables, but * stands for anything";
	return host_pattern_wrong(p.host);
}

const char *origin_wrong(const char *origin)
{
	struct parts p;

	if (url_wrong(origin) || !pattern_split(origin, &p) || p.query.p || p.fragment.p || *p.path.p != '/' ||
	    origin[strcspn(origin + 8, "/") + 8])
		return "is not an origin, as in https://desk.test";
	return NULL;
}

/* What the pattern does not say may be anything. */
static bool pattern_same_text(struct span p, struct span t)
{
	return !p.p || (t.p && glob(p, t, false));
}

bool url_match(const char *pattern, const char *url)
{
	struct parts p, u;

	if (!pattern_split(pattern, &p) || !pattern_split(url, &u))
		return false;
	return p.secure == u.secure && p.port == u.port && host_match(p.host, u.host) &&
		pattern_same_text(p.path, u.path) && pattern_same_text(p.query, u.query) &&
		pattern_same_text(p.fragment, u.fragment);
}

bool url_host(const char *url, char *out, size_t size)
{
	struct parts p;

	if (!pattern_split(url, &p) || !*p.host)
		return false;
	return exact_set(out, size, "%s", p.host);
}

const char *account_pattern_wrong(const char *pattern)
{
	const char *star = strchr(pattern, '*');

	return star && !strchr(star + 1, '*') ? NULL : "needs exactly one *, where the account stands";
}

struct range {
	uint32_t first, last;
};

static bool within(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define WITHIN(ranges_, c_) within(ranges_, sizeof(ranges_) / sizeof(*(ranges_)), c_)

/* White space as a person sees it: ASCII's, and the Unicode category Zs. */
static bool is_space(uint32_t c)
{
	static const struct range spaces[] = { { '\t', '\r' }, { ' ', ' ' }, { 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 },
		{ 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 } };

	return WITHIN(spaces, c);
}

/*
 * What shows nothing and could make one account look like another, or turn the sentence around it: control characters,
 * and what Unicode calls Default_Ignorable_Code_Point (marks of direction among them), with the blank Braille pattern.
 */
static bool is_invisible(uint32_t c)
{
	static const struct range nothing[] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c },
		{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x202a, 0x202e },
		{ 0x2060, 0x206f }, { 0x2800, 0x2800 }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff } };

	return WITHIN(nothing, c);
}

bool same_words(const char *a, const char *b)
{
	static const char space[] = " \t\r\n\f\v";

	a += strspn(a, space);
	b += strspn(b, space);
	for (;;) {
		bool space_a = isspace((unsigned char)*a), space_b = isspace((unsigned char)*b);

		a += strspn(a, space);
		b += strspn(b, space);
		if (!*a || !*b)
			return *a == *b;
		if (space_a != space_b || *a != *b)
			return false;
		a++;
		b++;
	}
}

/* Each run of white space becomes one space, none at either end; what shows nothing is left out. */
static size_t collapse(const char *s, char *out, size_t size)
{
	size_t n = 0, length = strlen(s);

	for (size_t at = 0, began = 0; at < length; began = at) {
		uint32_t c = utf8_next(s, length, &at);
		bool space = is_space(c);

		if (space ? n == 0 || out[n - 1] == ' ' : is_invisible(c))
			continue;
		if (n + (at - began) >= size)
			return 0;
		if (space) {
			out[n++] = ' ';
		} else {
			memcpy(out + n, s + began, at - began);
			n += at - began;
		}
	}
	if (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return n;
}

bool account_match(const char *pattern, const char *text, char *out, size_t size)
{
	const char *star;
	size_t n, before, after;
	char line[1024];

	n = collapse(text, line, sizeof(line));
	if (!pattern)
		pattern = "*";
	star = strchr(pattern, '*');
	before = (size_t)(star - pattern);
	after = strlen(star + 1);
	if (n <= before + after || memcmp(line, pattern, before) != 0 ||
	    memcmp(line + n - after, star + 1, after) != 0)
		return false;
	n -= before + after;
	if (n + 1 > size)
		return false;
	memcpy(out, line + before, n);
	out[n] = '\0';
	return collapse(out, line, sizeof(line)) > 0;
}
