#include "state/cookie.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* What is no time is none: it would not be equal to itself. */
static double read_time(const struct cbor *v)
{
	double s = cbor_get_double(v, "expires", -1);

	return isfinite(s) ? s : -1;
}

bool state_cookie_read(struct arena *arena, const struct cbor *v, struct state_cookie *ret)
{
	const struct cbor *partition = cbor_get(v, "partitionKey");

	*ret = (struct state_cookie){ .name = cbor_get_utf8(arena, v, "name"),
		.value = cbor_get_utf8(arena, v, "value"),
		.domain = cbor_get_utf8(arena, v, "domain"),
		.path = cbor_get_utf8(arena, v, "path"),
		.expires = read_time(v),
		.http_only = cbor_get_bool(v, "httpOnly", false),
		.secure = cbor_get_bool(v, "secure", false),
		.same_site = cbor_get_utf8(arena, v, "sameSite"),
		.partition = cbor_get_utf8(arena, partition, "topLevelSite"),
		.cross_site_ancestor = cbor_get_bool(partition, "hasCrossSiteAncestor", false),
		.priority = cbor_get_utf8(arena, v, "priority"),
		.source_scheme = cbor_get_utf8(arena, v, "sourceScheme"),
		.source_port = (int)cbor_get_int(v, "sourcePort", -1),
		.whole = v };
	return ret->name && ret->value && ret->domain && ret->path;
}

void state_put_text(struct cbor_out *out, const char *key, const char *value)
{
	if (!value)
		return;
	cbor_put_text(out, key);
	cbor_put_text(out, value);
}

static void cookie_put_bool(struct cbor_out *out, const char *key, bool value)
{
	cbor_put_text(out, key);
	cbor_put_bool(out, value);
}

static void put_partition(struct cbor_out *out, const struct state_cookie *c)
{
	if (!c->partition)
		return;
	cbor_put_text(out, "partitionKey");
	cbor_cdp_map_begin(out);
	state_put_text(out, "topLevelSite", c->partition);
	cookie_put_bool(out, "hasCrossSiteAncestor", c->cross_site_ancestor);
	cbor_cdp_map_end(out);
}

static void put_own(struct cbor_out *out, const struct state_cookie *c)
{
	cbor_cdp_map_begin(out);
	state_put_text(out, "name", c->name);
	state_put_text(out, "value", c->value);
	state_put_text(out, "domain", c->domain);
	state_put_text(out, "path", c->path);
	cbor_put_text(out, "expires");
	cbor_put_double(out, c->expires);
	cookie_put_bool(out, "httpOnly", c->http_only);
	cookie_put_bool(out, "secure", c->secure);
	state_put_text(out, "sameSite", c->same_site);
	state_put_text(out, "priority", c->priority);
	state_put_text(out, "sourceScheme", c->source_scheme);
	if (c->source_port >= 0) {
		cbor_put_text(out, "sourcePort");
		cbor_cdp_int(out, c->source_port);
	}
	put_partition(out, c);
	cbor_cdp_map_end(out);
}

void state_cookie_write(struct cbor_out *out, const struct state_cookie *c)
{
	size_t n = 0;
	const uint8_t *raw = c->whole ? cbor_raw(c->whole, &n) : NULL;

	if (raw)
		cbor_put_raw(out, raw, n);
	else
		put_own(out, c);
}

static bool cookie_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool state_cookie_is(const struct state_cookie *a, const struct state_cookie *b)
{
	return strcmp(a->name, b->name) == 0 && strcasecmp(a->domain, b->domain) == 0 && strcmp(a->path, b->path) == 0 &&
		cookie_same_text(a->partition, b->partition) && a->cross_site_ancestor == b->cross_site_ancestor;
}

/* Chromium keeps microseconds, a double of this century half of one. */
static bool same_time(double a, double b)
{
	double apart = a < b ? b - a : a - b;

	return (a < 0 && b < 0) || apart < 0.001;
}

bool state_cookie_equal(const struct state_cookie *a, const struct state_cookie *b)
{
	return state_cookie_is(a, b) && strcmp(a->value, b->value) == 0 && same_time(a->expires, b->expires) &&
		a->http_only == b->http_only && a->secure == b->secure && cookie_same_text(a->same_site, b->same_site) &&
		cookie_same_text(a->priority, b->priority) && cookie_same_text(a->source_scheme, b->source_scheme) &&
		a->source_port == b->source_port;
}

bool state_cookie_has_ended(const struct state_cookie *c, double now)
{
	return c->expires >= 0 && c->expires <= now;
}
