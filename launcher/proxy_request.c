#include "launcher/proxy_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/host.h"
#include "common/must.h"
#include "common/span.h"

/* What the header fields have said so far. */
struct fields {
	struct span host;
	bool has_host, has_length, chunked;
	uint64_t length;
};

static const char *const not_forwarded[] = {"connection", "proxy-connection", "proxy-authorization",
	"keep-alive", "te", "trailer", "upgrade", "http2-settings"};

static int proxy_request_split_authority(struct span s, uint16_t otherwise, struct proxy_request *r)
{
	struct host host;
	const char *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;

	if (s.n == 0 || host_parse_port(s.p, s.n, otherwise, &host, &r->port) < 0)
		return -EBADMSG;
	r->host = s.p;
	r->host_length = colon && (memchr(s.p, ':', s.n) == colon || colon[-1] == ']')
				 ? (size_t)(colon - s.p)
				 : s.n;
	return 0;
}

static int read_length(struct span value, struct fields *f)
{
	uint64_t n = 0;

	if (value.n == 0 || value.n > 18)
		return -EBADMSG;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return -EBADMSG;
		n = n * 10 + (uint64_t)(value.p[i] - '0');
	}
	if (f->has_length && f->length != n)
		return -EBADMSG;
	f->has_length = true;
	f->length = n;
	return 0;
}

static int note_field(struct fields *f, struct span name, struct span value)
{
	if (span_names(name, "host")) {
		if (f->has_host)
			return -EBADMSG;
		f->has_host = true;
		f->host = value;
	} else if (span_names(name, "content-length")) {
		return read_length(value, f);
	} else if (span_names(name, "transfer-encoding")) {
		f->chunked = true;
	}
	return 0;
}

static bool is_forwarded(struct span name)
{
	for (size_t i = 0; i < sizeof(not_forwarded) / sizeof(*not_forwarded); i++)
		if (span_names(name, not_forwarded[i]))
			return false;
	return true;
}

static void proxy_request_append(struct proxy_request *r, const char *p, size_t n)
{
	memcpy(r->head + r->head_length, p, n);
	r->head_length += n;
}

/* Passes over the header lines; those that go on are appended to the head if there is one. */
static int read_fields(struct span rest, struct proxy_request *r, struct fields *f)
{
	struct span line, name, value;

	while (span_cut_line(&rest, &line)) {
		if (line.n == 0)
			return 0;
		value = line;
		if (!span_cut(&value, ':', &name) || !span_is_token(name))
			return -EBADMSG;
		int e = note_field(f, name, span_trim(value));
		if (e < 0)
			return e;
		if (r->head && is_forwarded(name)) {
			proxy_request_append(r, line.p, line.n);
			proxy_request_append(r, "\r\n", 2);
		}
	}
	return -EBADMSG;
}

static bool same_authority(const struct proxy_request *r, struct span host)
{
	struct host a, b;
	uint16_t port;

	return host_parse(r->host, r->host_length, &a) == 0 &&
	       host_parse_port(host.p, host.n, 80, &b, &port) == 0 && host_equal(&a, &b) &&
	       port == r->port;
}

/* http://authority/path, of which the path goes on. */
static int read_absolute(struct span method, struct span target, struct proxy_request *r)
{
	static const char scheme[] = "http://";
	size_t n = sizeof(scheme) - 1, slash;

	if (target.n <= n || strncasecmp(target.p, scheme, n) != 0)
		return -EBADMSG;
	struct span authority = {target.p + n, target.n - n};
	for (slash = 0; slash < authority.n && !strchr("/?#", authority.p[slash]); slash++)
		;
	struct span path = {authority.p + slash, authority.n - slash};
	authority.n = slash;
	proxy_request_append(r, method.p, method.n);
	proxy_request_append(r, " ", 1);
	if (path.n == 0 || *path.p != '/')
		proxy_request_append(r, "/", 1);
	proxy_request_append(r, path.p, path.n);
	proxy_request_append(r, " HTTP/1.1\r\n", 11);
	return proxy_request_split_authority(authority, 80, r);
}

static int read_plain(
	struct span method, struct span target, struct span rest, struct proxy_request *r)
{
	static const char ending[] = "Connection: close\r\n\r\n";
	struct fields f = {0};
	int e;

	r->head = must(malloc(r->length + sizeof(ending) + 16));
	e = read_absolute(method, target, r);
	if (e == 0)
		e = read_fields(rest, r, &f);
	if (e < 0)
		return e;
	if (f.chunked)
		return -ENOTSUP;
	if (!f.has_host || !same_authority(r, f.host))
		return -EBADMSG;
	proxy_request_append(r, ending, sizeof(ending) - 1);
	r->body = f.length;
	return 0;
}

static int read_connect(struct span target, struct span rest, struct proxy_request *r)
{
	struct fields f = {0};
	int e = proxy_request_split_authority(target, 0, r);

	r->connect = true;
	r->body = UINT64_MAX;
	if (e == 0)
		e = read_fields(rest, r, &f);
	return e < 0 ? e : r->port ? 0 : -EBADMSG;
}

static int proxy_request_read_head(struct span rest, struct proxy_request *r)
{
	struct span line, method, target;

	if (!span_cut_line(&rest, &line) || !span_cut(&line, ' ', &method) ||
		!span_cut(&line, ' ', &target) ||
		!span_is_token(method))
		return -EBADMSG;
	if (!span_names(line, "HTTP/1.1") && !span_names(line, "HTTP/1.0"))
		return -EBADMSG;
	if (span_is(method, "CONNECT"))
		return read_connect(target, rest, r);
	return read_plain(method, target, rest, r);
}

int proxy_request_parse(const char *p, size_t n, struct proxy_request *ret)
{
	const char *end = n ? memmem(p, n, "\r\n\r\n", 4) : NULL;
	struct proxy_request r = {0};
	int e;

	if (!end)
		return n > PROXY_HEAD_MOST ? -E2BIG : -EAGAIN;
	r.length = (size_t)(end - p) + 4;
	if (r.length > PROXY_HEAD_MOST)
		return -E2BIG;
	e = proxy_request_read_head((struct span){p, r.length}, &r);
	if (e < 0) {
		proxy_request_clear(&r);
		return e;
	}
	*ret = r;
	return 0;
}

void proxy_request_clear(struct proxy_request *r)
{
	free(r->head);
	*r = (struct proxy_request){0};
}
