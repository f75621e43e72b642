#include "http/jar.h"

#include <stdlib.h>
#include <string.h>

#include <libpsl.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/span.h"
#include "common/utf.h"
#include "http/place.h"

#define MOST_PAIR      4096 /* bytes of name and value */
#define MOST_ATTRIBUTE 1024 /* a longer one is passed over */
#define LONGEST_S      (400.0 * 86400)

/* Where a request goes, or an answer comes from. */
struct jar_place {
	struct place at;
	char *path;
	const char *site; /* as partitions name it: scheme and registrable domain */
};

static bool is_here(const struct host *h)
{
	size_t n = strlen(h->name);

	return strcmp(h->name, "localhost") == 0 || (n > 10 && strcmp(h->name + n - 10, ".localhost") == 0);
}

/* End it with jar_place_end() in either case. */
static bool jar_place_read(struct arena *arena, const char *url, struct jar_place *ret)
{
	const char *name = ret->at.host.name, *registrable;

	*ret = (struct jar_place){ 0 };
	if (!place_read(url, &ret->at) || curl_url_get(ret->at.url, CURLUPART_PATH, &ret->path, 0) != CURLUE_OK)
		return false;
	registrable = ret->at.host.literal ? NULL : psl_registrable_domain(psl_builtin(), name);
	ret->site = arena_printf(arena, "%s://%s", ret->at.secure ? "https" : "http", registrable ? registrable : name);
	return true;
}

static void jar_place_end(struct jar_place *p)
{
	place_end(&p->at);
	curl_free(p->path);
}

/* Section 5.1.3; domain without a dot before it. */
static bool is_within(const struct host *h, const char *domain)
{
	size_t n = strlen(h->name), m = strlen(domain);

	if (strcmp(h->name, domain) == 0)
		return true;
	return !h->literal && n > m && strcmp(h->name + n - m, domain) == 0 && h->name[n - m - 1] == '.';
}

static bool fits_host(const struct state_cookie *c, const struct host *h)
{
	return *c->domain == '.' ? is_within(h, c->domain + 1) : strcmp(c->domain, h->name) == 0;
}

/* Section 5.1.4. */
static bool fits_path(const char *cookie, const char *path)
{
	size_t n = strlen(cookie);

	return strncmp(path, cookie, n) == 0 && (!path[n] || path[n] == '/' || (n > 0 && cookie[n - 1] == '/'));
}

static bool goes_along(const struct state_cookie *c, const struct jar_place *p, double now)
{
	return fits_host(c, &p->at.host) && fits_path(c->path, p->path) && (!c->secure || p->at.secure || is_here(&p->at.host)) &&
		!state_cookie_has_ended(c, now) &&
		(!c->partition || (!c->cross_site_ancestor && strcmp(c->partition, p->site) == 0));
}

/* Longer paths first, else as they stand. */
static int by_path(const void *a, const void *b)
{
	const struct state_cookie *const *x = a, *const *y = b;
	size_t n = strlen((*x)->path), m = strlen((*y)->path);

	return n != m ? (n < m) - (n > m) : (*x > *y) - (*x < *y);
}

const char *jar_header(struct arena *arena, const struct state *s, const char *url, double now)
{
	size_t all = state_cookie_count(s), n = 0;
	const struct state_cookie **some = arena_array(arena, all + 1, sizeof(*some));
	CLEANUP(bytes_free) struct bytes text = { 0 };
	CLEANUP(jar_place_end) struct jar_place p;

	if (!jar_place_read(arena, url, &p))
		return NULL;
	for (size_t i = 0; i < all; i++)
		if (goes_along(state_cookie_at(s, i), &p, now))
			some[n++] = state_cookie_at(s, i);
	if (n == 0)
		return NULL;
	qsort(some, n, sizeof(*some), by_path);
	for (size_t i = 0; i < n; i++) {
		bytes_puts(&text, i ? "; " : "");
		bytes_puts(&text, some[i]->name);
		bytes_puts(&text, *some[i]->name ? "=" : "");
		bytes_puts(&text, some[i]->value);
	}
	return arena_memdup(arena, text.p, text.n);
}

/* What a line says, before it is known whether that may be. */
struct jar_line {
	struct span name, value, domain, path, same_site, priority;
	double expires, max_age; /* s since 1970, s; below 0: not said */
	bool aged, secure, http_only, partitioned;
};

/* What is no UTF-8 could not be kept beside the others. */
static bool is_clean(const char *line)
{
	size_t n = 0;

	while (line[n] == '\t' || ((unsigned char)line[n] >= 0x20 && line[n] != 0x7f))
		n++;
	return !line[n] && utf8_valid(line, n);
}

static void read_expires(struct arena *arena, struct span value, struct jar_line *ret)
{
	time_t at = curl_getdate(arena_memdup(arena, value.p, value.n), NULL);

	if (at >= 0)
		ret->expires = (double)at;
}

static void read_max_age(struct arena *arena, struct span value, struct jar_line *ret)
{
	const char *text = arena_memdup(arena, value.p, value.n), *digits = text + (*text == '-');

	if (!*digits || digits[strspn(digits, "0123456789")])
		return;
	ret->aged = true;
	ret->max_age = strtod(text, NULL);
}

static void read_attribute(struct arena *arena, struct span name, struct span value, struct jar_line *ret)
{
	if (value.n > MOST_ATTRIBUTE)
		return;
	if (span_names(name, "expires"))
		read_expires(arena, value, ret);
	else if (span_names(name, "max-age"))
		read_max_age(arena, value, ret);
	else if (span_names(name, "domain"))
		ret->domain = value;
	else if (span_names(name, "path"))
		ret->path = value;
	else if (span_names(name, "samesite"))
		ret->same_site = value;
	else if (span_names(name, "priority"))
		ret->priority = value;
	ret->secure |= span_names(name, "secure");
	ret->http_only |= span_names(name, "httponly");
	ret->partitioned |= span_names(name, "partitioned");
}

/* False: there is no "=", and all of it is the value. */
static bool cut_pair(struct span piece, struct span *ret_name, struct span *ret_value)
{
	bool pair = span_cut(&piece, '=', ret_name);

	*ret_name = pair ? span_trim(*ret_name) : (struct span){ piece.p, 0 };
	*ret_value = span_trim(piece);
	return pair;
}

static bool read_line(struct arena *arena, const char *line, struct jar_line *ret)
{
	struct span rest = span_of(line), piece, name, value;

	*ret = (struct jar_line){ .expires = -1 };
	if (!is_clean(line) || !span_next(&rest, ";", &piece))
		return false;
	cut_pair(piece, &ret->name, &ret->value);
	if (ret->name.n + ret->value.n == 0 || ret->name.n + ret->value.n > MOST_PAIR)
		return false;
	while (span_next(&rest, ";", &piece)) {
		if (cut_pair(piece, &name, &value))
			read_attribute(arena, name, value, ret);
		else
			read_attribute(arena, value, name, ret);
	}
	return true;
}

/* Section 5.7: whose it is; false: it may not be set from there. */
static bool read_domain(struct arena *arena, const struct jar_line *l, const struct jar_place *p, struct state_cookie *ret)
{
	struct span d = l->domain;
	struct host host;

	ret->domain = arena_strdup(arena, p->at.host.name);
	if (d.n && *d.p == '.')
		d = (struct span){ d.p + 1, d.n - 1 };
	if (d.n == 0)
		return true;
	if (host_parse(d.p, d.n, &host) < 0 || !is_within(&p->at.host, host.name))
		return false;
	if (host.literal)
		return true;
	if (psl_is_public_suffix(psl_builtin(), host.name))
		return strcmp(host.name, p->at.host.name) == 0;
	ret->domain = arena_printf(arena, ".%s", host.name);
	return true;
}

/* Section 5.1.4: up to the last slash of the address's. */
static const char *read_path(struct arena *arena, const struct jar_line *l, const struct jar_place *p)
{
	const char *last = strrchr(p->path, '/');

	if (l->path.n && *l->path.p == '/')
		return arena_memdup(arena, l->path.p, l->path.n);
	return last && last > p->path ? arena_memdup(arena, p->path, (size_t)(last - p->path)) : "/";
}

/* The last one that is said of them goes; Max-Age before Expires. */
static double read_end(const struct jar_line *l, double now)
{
	double end = l->aged ? (l->max_age <= 0 ? 0 : now + l->max_age) : l->expires;

	return end > now + LONGEST_S ? now + LONGEST_S : end;
}

static const char *one_of(struct span said, const char *const *words, const char *otherwise)
{
	for (size_t i = 0; said.p && words[i]; i++)
		if (span_names(said, words[i]))
			return words[i];
	return otherwise;
}

static bool begins(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Prefixes of names promise something (section 4.1.3), and a cookie without a name cannot pretend to one. */
static bool keeps_promise(const struct state_cookie *c)
{
	if (!*c->name)
		return !begins(c->value, "__Secure-") && !begins(c->value, "__Host-");
	if (begins(c->name, "__Host-"))
		return c->secure && *c->domain != '.' && strcmp(c->path, "/") == 0;
	return !begins(c->name, "__Secure-") || c->secure;
}

/* One that is not from a secure place leaves a secure one of that name alone. */
static bool hides_secure(const struct state *s, const struct state_cookie *c, const struct jar_place *p)
{
	for (size_t i = 0; !p->at.secure && i < state_cookie_count(s); i++) {
		const struct state_cookie *o = state_cookie_at(s, i);

		if (o->secure && strcmp(o->name, c->name) == 0 && fits_host(o, &p->at.host) && fits_path(o->path, c->path))
			return true;
	}
	return false;
}

static bool may_be_set(const struct state *s, const struct state_cookie *c, const struct jar_place *p)
{
	if (c->secure && !p->at.secure && !is_here(&p->at.host))
		return false;
	if (!c->secure && (c->partition || (c->same_site && strcmp(c->same_site, "None") == 0)))
		return false;
	return keeps_promise(c) && !hides_secure(s, c, p);
}

bool jar_read(struct arena *arena, const struct state *s, const char *url, const char *line, double now, struct state_cookie *ret)
{
	static const char *const same_sites[] = { "Strict", "Lax", "None", NULL }, *const priorities[] = { "Low", "Medium", "High", NULL };
	struct jar_line l;
	CLEANUP(jar_place_end) struct jar_place p;

	*ret = (struct state_cookie){ 0 };
	if (!jar_place_read(arena, url, &p) || !read_line(arena, line, &l) || !read_domain(arena, &l, &p, ret))
		return false;
	ret->name = arena_memdup(arena, l.name.n ? l.name.p : "", l.name.n);
	ret->value = arena_memdup(arena, l.value.n ? l.value.p : "", l.value.n);
	ret->path = read_path(arena, &l, &p);
	ret->expires = read_end(&l, now);
	ret->http_only = l.http_only;
	ret->secure = l.secure;
	ret->same_site = one_of(l.same_site, same_sites, NULL);
	ret->priority = one_of(l.priority, priorities, "Medium");
	ret->partition = l.partitioned ? p.site : NULL;
	ret->source_scheme = p.at.secure ? "Secure" : "NonSecure";
	ret->source_port = p.at.port;
	return may_be_set(s, ret, &p);
}
