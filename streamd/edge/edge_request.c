/* What somebody asks for at the edge: read, and refused before anybody has heard of it when another site's page asks. */
#include <stdlib.h>
#include <string.h>

#include "common/cookie.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/origin.h"
#include "common/words.h"
#include "streamd/edge/edge_inside.h"

#define FOREIGN_PAUSE_MS 1000 /* between what the log is told of other sites' pages */

static void copy_header(struct lws *wsi, enum lws_token_indexes token, char *out, int size)
{
	if (lws_hdr_copy(wsi, out, size, token) < 0)
		out[0] = '\0';
}

/* The library takes the arguments apart; here they are put together again. */
static void copy_query(struct lws *wsi, char *out, size_t size)
{
	size_t n = 0;
	int r;

	out[0] = '\0';
	for (int i = 0; n + 2 < size; i++) {
		size_t from = i > 0 ? n + 1 : n;
		r = lws_hdr_copy_fragment(wsi, out + from, (int)(size - from), WSI_TOKEN_HTTP_URI_ARGS, i);
		if (r < 0)
			break;
		if (i > 0)
			out[n] = '&';
		n = from + (size_t)r;
	}
	out[n] = '\0';
}

/* A header that the library has no number for; name ends in a colon. */
static void copy_other_header(struct lws *wsi, const char *name, char *out, int size)
{
	if (lws_hdr_custom_copy(wsi, out, size, name, (int)strlen(name)) < 0)
		out[0] = '\0';
}

/*
 * The cookie's name is the one that authd gives it at this address, by the same rule: one of the other name was planted, by
 * a plain connection say, which cannot set one that begins with __Host-.
 */
static void read_cookie(const struct edge *e, struct request *q)
{
	q->own = origin_of_host(&e->origins, q->host);
	if (q->own)
		cookie_find(q->cookies, cookie_login_name(origin_is_https(q->own)), q->cookie, sizeof(q->cookie));
}

static struct request *request_read(struct line *l)
{
	struct request *q = must(calloc(1, sizeof(*q)));
	struct lws *wsi = l->wsi;

	copy_header(wsi, WSI_TOKEN_GET_URI, q->path, sizeof(q->path));
	copy_query(wsi, q->query, sizeof(q->query));
	copy_header(wsi, WSI_TOKEN_HTTP_COOKIE, q->cookies, sizeof(q->cookies));
	copy_header(wsi, WSI_TOKEN_ORIGIN, q->origin, sizeof(q->origin));
	copy_header(wsi, WSI_TOKEN_HTTP_X_REAL_IP, q->ip, sizeof(q->ip));
	copy_other_header(wsi, "sec-fetch-site:", q->site, sizeof(q->site));
	copy_header(wsi, WSI_TOKEN_HOST, q->host, sizeof(q->host));
	read_cookie(l->edge, q);
	return q;
}

/* The owner hears of it when this turn of the library is over. */
static void accept_request(struct line *l)
{
	struct edge *e = l->edge;

	l->id = ++e->last_id;
	LIST_INSERT_HEAD(&e->buckets[l->id % BUCKETS], l, same_bucket);
	edge_give_up_in(l, e->config.answer_s);
}

void edge_request_tell(struct line *l)
{
	const struct request *q = l->request;
	const struct edge_request request = { .path = q->path,
		.query = q->query,
		.cookie = q->cookie,
		.ip = q->ip };

	l->visitor = l->edge->events->asked(l->edge, l->edge->owner, l->id, &request);
	edge_request_free(l);
}

/* Whoever sends many fills no log. */
static void say_foreign(struct edge *e, const struct request *q)
{
	int64_t now = loop_now();
	const char *from = *q->origin ? q->origin : *q->site ? q->site : "a page that does not say whose it is";

	if (e->foreign_said_ms && now - e->foreign_said_ms < FOREIGN_PAUSE_MS)
		return;
	e->foreign_said_ms = now;
	log_warning("a request to %s for the host \"%s\" was refused, for it came from %s; if that is Stead's own page, add its address to the setting origin in %s",
		BRIEF(80, q->path), BRIEF(80, q->host), BRIEF(120, from), e->origins_file);
}

/* As it is, and whatever the library takes the connection for by now; it is closed when that has gone. */
static int edge_request_refuse(struct line *l, const char *status, const char *sentence)
{
	uint8_t buffer[LWS_PRE + 1024];
	char *text = (char *)buffer + LWS_PRE;

	exact_must(text, sizeof(buffer) - LWS_PRE,
		"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n\r\n%s",
		status, strlen(sentence), sentence);
	log_debug("a request is refused: %s", sentence);
	lws_write(l->wsi, buffer + LWS_PRE, strlen(text), LWS_WRITE_HTTP_HEADERS);
	edge_request_free(l);
	return -1;
}

int edge_upgrade_asked(struct line *l)
{
	struct request *q = l->request = request_read(l);

	if (l->edge->ending)
		return edge_request_refuse(l, "503 Service Unavailable", "Stead is being restarted; try again in a moment.");
	if (!q->own || strcmp(q->origin, q->own) != 0) {
		say_foreign(l->edge, q);
		return edge_request_refuse(l, "403 Forbidden",
			"The connection came from another site and was refused; use Stead's own page.");
	}
	if (strncmp(q->path, "/ws/", 4) != 0)
		return edge_request_refuse(l, "404 Not Found", "There is nothing at this address.");
	accept_request(l);
	return 0;
}
