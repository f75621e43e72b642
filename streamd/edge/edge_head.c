#include "streamd/edge/edge_head.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/span.h"

#define MOST_FIELDS 100
#define KEY_BYTES   24 /* 16 in base64 */

/* Of these there may be one: each is believed for what it says. */
static const char *const once[] = { "host", "connection", "upgrade", "cookie", "origin", "x-real-ip", "sec-fetch-site",
	"sec-websocket-key", "sec-websocket-version" };
enum { HOST, CONNECTION, UPGRADE, KEY = 7, VERSION, ONCE = sizeof(once) / sizeof(*once) };

struct fields {
	struct span once[ONCE]; /* p is NULL for one that is not there */
	size_t count;
};

static int edge_head_refuse(struct edge_head_refusal *ret, int status, const char *sentence)
{
	*ret = (struct edge_head_refusal){ .status = status, .sentence = sentence };
	return -EBADMSG;
}

/* Visible ASCII alone; with text, blanks and what is not ASCII besides. */
static bool is_clean(struct span s, bool text)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (text ? (c < 0x20 && c != '\t') || c == 0x7f : c <= 0x20 || c >= 0x7f)
			return false;
	}
	return true;
}

static int check_request_line(struct span line, struct edge_head_refusal *ret)
{
	struct span method, target;

	if (!span_cut(&line, ' ', &method) || !span_cut(&line, ' ', &target) || !span_is_token(method) ||
		!is_clean(target, false))
		return edge_head_refuse(ret, 400, "The request is not understood.");
	if (!span_is(line, "HTTP/1.1"))
		return edge_head_refuse(ret, 505, "Only HTTP/1.1 is spoken here.");
	if (!span_is(method, "GET"))
		return edge_head_refuse(ret, 405, "Only GET is served here.");
	if (target.n == 0 || *target.p != '/')
		return edge_head_refuse(ret, 400, "The request is not understood.");
	return 0;
}

/* A line that begins with a blank goes on where no reader of today looks (obs-fold); its name is no token. */
static int check_field(struct span line, struct fields *f, struct edge_head_refusal *ret)
{
	struct span name;

	if (!span_cut(&line, ':', &name) || !span_is_token(name) || !is_clean(line, true) || ++f->count > MOST_FIELDS)
		return edge_head_refuse(ret, 400, "The request is not understood.");
	if (span_names(name, "content-length") || span_names(name, "transfer-encoding"))
		return edge_head_refuse(ret, 400, "A request here has no body.");
	for (size_t i = 0; i < ONCE; i++) {
		if (!span_names(name, once[i]))
			continue;
		if (f->once[i].p)
			return edge_head_refuse(ret, 400, "The request says one thing twice.");
		f->once[i] = span_trim(line);
	}
	return 0;
}

/* Whether the list (RFC 9110 section 5.6.1) has the word. */
static bool list_has(struct span list, const char *word)
{
	struct span item;

	while (span_next(&list, ",", &item))
		if (span_names(span_trim(item), word))
			return true;
	return false;
}

/* What is no opening of one does not reach a library that makes of it what it likes. */
static int check_opening(const struct fields *f, struct edge_head_refusal *ret)
{
	if (!span_names(f->once[UPGRADE], "websocket"))
		return edge_head_refuse(ret, 400, "A connection is upgraded to a WebSocket here and to nothing else.");
	if (!f->once[CONNECTION].p || !list_has(f->once[CONNECTION], "upgrade"))
		return edge_head_refuse(ret, 400, "An upgrade must be named in the header Connection.");
	if (!f->once[VERSION].p || !span_names(f->once[VERSION], "13") || !f->once[KEY].p || f->once[KEY].n != KEY_BYTES)
		return edge_head_refuse(ret, 400, "A WebSocket is opened with version 13 and a key, as in RFC 6455.");
	return 0;
}

/* more: bytes came behind the head. */
static int check_fields(const struct fields *f, bool more, struct edge_head_refusal *ret)
{
	if (!f->once[HOST].p || f->once[HOST].n == 0)
		return edge_head_refuse(ret, 400, "The request does not say which host it is for.");
	if (!f->once[UPGRADE].p)
		return more ? edge_head_refuse(ret, 400, "A connection carries one request here.") : edge_head_refuse(ret, 426, "Only WebSockets are served here.");
	return check_opening(f, ret);
}

/* rest has an empty line. */
static int check_lines(struct span rest, struct edge_head_refusal *ret)
{
	struct fields f = { 0 };
	struct span line;
	int r;

	if (!span_cut_line(&rest, &line))
		return edge_head_refuse(ret, 400, "The request is not understood.");
	r = check_request_line(line, ret);
	while (r == 0) {
		if (!span_cut_line(&rest, &line))
			return edge_head_refuse(ret, 400, "The request is not understood.");
		if (line.n == 0)
			return check_fields(&f, rest.n > 0, ret);
		r = check_field(line, &f, ret);
	}
	return r;
}

int edge_head_check(const char *p, size_t n, struct edge_head_refusal *ret)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);

	if (n > 0 && (*p < 'A' || *p > 'Z')) /* no method, but perhaps the beginning of another protocol */
		return edge_head_refuse(ret, 400, "The request is not understood.");
	if (end && (size_t)(end - p) + 4 <= EDGE_HEAD_MOST)
		return check_lines((struct span){ p, n }, ret);
	if (end || n >= EDGE_HEAD_MOST)
		return edge_head_refuse(ret, 431, "The request's head is larger than Stead accepts.");
	return -EAGAIN;
}
