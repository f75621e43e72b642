#include "authd/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "authd/exchange.h"
#include "authd/openapi.h"
#include "authd/state.h"
#include "common/cookie.h"
#include "common/must.h"
#include "common/origin.h"
#include "proto/query.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "db/db.h"
#include "proto/call.h"
#include "proto/field.h"
#include "proto/json.h"
#include "proto/peer.h"
#include "proto/server.h"

#define MOST_HEADERS    16384 /* bytes of the head of a request */
#define MOST_READ_BODY  (4 * HTTP_MOST_BODY) /* so that a body somewhat too large gets an answer of ours */
#define IDLE_S          60 /* of a kept connection, and for each piece of a request to come */
#define ACCEPT_PAUSE_MS 200

/* For on_accept_error(), which libevent hands evhttp's pointer in place of ours. */
static struct http *listening;

static const char *header(const struct exchange *x, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(x->front.request), name);
}

static const char *verb_of(struct evhttp_request *request)
{
	switch (evhttp_request_get_command(request)) {
	case EVHTTP_REQ_GET: return "GET";
	case EVHTTP_REQ_HEAD: return "HEAD";
	case EVHTTP_REQ_POST: return "POST";
	case EVHTTP_REQ_PUT: return "PUT";
	case EVHTTP_REQ_DELETE: return "DELETE";
	case EVHTTP_REQ_PATCH: return "PATCH";
	case EVHTTP_REQ_OPTIONS: return "OPTIONS";
	case EVHTTP_REQ_TRACE: return "TRACE";
	default: return "CONNECT";
	}
}

static bool http_is_safe(const struct exchange *x)
{
	return strcmp(x->verb, "GET") == 0 || strcmp(x->verb, "HEAD") == 0;
}

static size_t count_header(const struct exchange *x, const char *name)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(x->front.request);
	const struct evkeyval *h;
	size_t n = 0;

	for (h = headers->tqh_first; h; h = h->next.tqe_next)
		n += strcasecmp(h->key, name) == 0;
	return n;
}

/* A header as it may be shown and stored: what is not printable ASCII is a question mark, and 150 bytes are enough. */
static const char *http_shown(struct exchange *x, const char *text)
{
	char *copy = words_new(x->call->arena, 150, "%s", text ? text : "");

	for (char *p = copy; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return copy;
}

/* What two readers of one request could take for different things is refused (RFC 9112 section 11.2). */
static int http_check_head(struct exchange *x)
{
	static const char *const once[] = { "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Origin",
		"Sec-Fetch-Site", "X-Real-IP", NULL };

	for (const char *const *name = once; *name; name++)
		if (count_header(x, *name) > 1)
			return call_refuse(x->call, ERR_malformed, *name, "The header %s stands there twice.", *name);
	if (count_header(x, "Content-Length") && count_header(x, "Transfer-Encoding"))
		return call_refuse(x->call, ERR_malformed, "Content-Length",
			"The request says its length in two ways.");
	x->front.origin = origin_of_host(&x->http->a->settings->origin, header(x, "Host"));
	if (!x->front.origin)
		return call_refuse(x->call, ERR_cross_site, "Host",
			"Stead is not known under the name \"%s\"; open it at its own address, or have the administrator add this one to the setting origin in stead.conf.",
			http_shown(x, header(x, "Host")));
	return 0;
}

static int find_route(struct exchange *x)
{
	struct refusal *why = &x->call->refusal;
	size_t n = strlen(HTTP_PREFIX);
	int r = strncmp(x->path, HTTP_PREFIX, n) != 0 ? -ENOENT
		: route_find(method_lists(), x->verb, x->path + n, x->params, &x->route, x->allow, sizeof(x->allow), why);

	if (r == -ENOENT)
		return call_refuse(x->call, ERR_unknown_method, NULL,
			"There is nothing at this address; %s/openapi.json lists what there is.", HTTP_PREFIX);
	if (r == -EPERM) {
		x->status = HTTP_BADMETHOD;
		evhttp_add_header(evhttp_request_get_output_headers(x->front.request), "Allow", x->allow);
		return call_refuse(x->call, ERR_unknown_method, NULL, "This address does not take %s, but %s.",
			x->verb, x->allow);
	}
	if (r < 0)
		return REFUSED;
	x->call->method = x->route.method;
	x->log.method = x->route.method->name;
	return 0;
}

/*
 * A body of its own kind can be shown by another site's page, and an event stream kept open, with the cookie of whoever looks at
 * it. A person who opens a picture in a tab comes from no page.
 */
static enum origin_verdict judge_get(const struct exchange *x, const char *site, const char *origin)
{
	const struct method *m = x->route.method;

	if (!m->media && !m->streams)
		return ORIGIN_OWN;
	if (!origin && (!site || strcmp(site, "none") == 0))
		return ORIGIN_OWN;
	return origin_judge(x->front.origin, site, origin);
}

/*
 * Anybody's page can make a browser send what is refused here, so its rows in the audit are few; what is left out is counted in
 * the next one. The refusal stands whether the row can be written or not.
 */
static int check_origin(struct exchange *x)
{
	const char *site = header(x, "Sec-Fetch-Site"), *origin = header(x, "Origin");
	const char *from = origin ? origin : site ? site : "nowhere";

	switch (http_is_safe(x) ? judge_get(x, site, origin) : origin_judge(x->front.origin, site, origin)) {
	case ORIGIN_OWN: return 0;
	case ORIGIN_UNKNOWN:
		call_refuse(x->call, ERR_cross_site, "Origin",
			"The request does not say which page it comes from; send the header \"Origin: %s\".", x->front.origin);
		break;
	case ORIGIN_FOREIGN: call_refuse(x->call, ERR_cross_site, NULL, "%s", ""); break;
	}
	audit_limited(x->call, &x->http->foreign, "cross_site_refused",
		arena_printf(x->call->arena, "%s, from %s", x->route.method->name, http_shown(x, from)));
	return REFUSED;
}

static int find_login(struct exchange *x)
{
	char cookie[LOGIN_COOKIE];
	struct acting *acting = &x->call->acting;
	int r;

	if (!front_cookie(&x->front, cookie_login_name, cookie, sizeof(cookie)))
		return 0;
	/* What a page asks for while nobody is there, it says so of: such requests do not keep a login from idling out. */
	r = login_find(x->http->a, x->call->arena, cookie, !header(x, "Stead-Idle"), x->call->deadline, &x->login);
	explicit_bzero(cookie, sizeof(cookie));
	if (r == -ENOENT)
		return 0;
	/* Who signs in needs no login, so a database that is down is told by the handler. */
	if (r < 0)
		return x->route.method->scope == SCOPE_ANYONE ? 0 : r;
	x->front.login = &x->login;
	acting->user = x->login.user;
	acting->name = x->log.user = x->login.user_name;
	acting->login = x->login.name;
	acting->scopes = login_scopes(&x->login);
	return 0;
}

/* A page says whose it is: another may have signed in since in the same browser, and must not be taken for its sender. */
static int check_sender(struct exchange *x)
{
	const char *sender = header(x, "Stead-Account");
	char own[24];

	exact_must(own, sizeof(own), "%" PRId64, x->login.user);
	if (!sender || !x->front.login || x->route.method->scope == SCOPE_ANYONE || strcmp(sender, own) == 0)
		return 0;
	return call_refuse(x->call, ERR_not_signed_in, "Stead-Account",
		"In this browser %s has signed in to Stead since this page was opened. Sign in again to go on, or leave the page to them.",
		x->login.user_name);
}

static bool http_is_json(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;

	return n == strlen("application/json") && strncasecmp(type, "application/json", n) == 0;
}

/* The body's bytes, where a password may be, are wiped as soon as they have been read. */
static int parse_body(struct exchange *x, size_t n, json_t **ret)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(x->front.request);
	unsigned char *text = evbuffer_pullup(body, (ssize_t)n);
	const char *why = NULL;
	int r;

	if (!text)
		return call_refuse(x->call, ERR_malformed, NULL, "The body is empty; send one JSON object, perhaps {}.");
	r = json_read((const char *)text, n, ret, &why);
	explicit_bzero(text, n);
	evbuffer_drain(body, n);
	return r < 0 ? call_refuse(x->call, ERR_malformed, NULL, "%s", why) : 0;
}

static int read_body(struct exchange *x)
{
	size_t n = evbuffer_get_length(evhttp_request_get_input_buffer(x->front.request));
	json_t *body = NULL;
	int r;

	if (http_is_safe(x))
		return n ? call_refuse(x->call, ERR_malformed, NULL, "A %s request has no body.", x->verb) : 0;
	if (!http_is_json(header(x, "Content-Type")))
		return call_refuse(x->call, ERR_unsupported, "Content-Type", "%s", "");
	if (n > HTTP_MOST_BODY)
		return call_refuse(x->call, ERR_too_large, NULL,
			"The body has %zu bytes; Stead accepts %d at most.", n, HTTP_MOST_BODY);
	r = parse_body(x, n, &body);
	if (r < 0)
		return r;
	call_keep(x->call, body); /* its texts are what the parameters point to */
	return query_merge(x->params, body, &x->call->refusal) < 0 ? REFUSED : 0;
}

static struct peer *peer_of(const struct authd *a, const char *daemon)
{
	for (size_t i = 0; i < PEERS; i++)
		if (strcmp(peer_name(a->peers[i]), daemon) == 0)
			return a->peers[i];
	return NULL;
}

/* authd's own method: its handler runs on this fiber. */
static int http_run_own(struct exchange *x, const void *params)
{
	const struct method *m = x->route.method;
	void *result = arena_alloc(x->call->arena, m->result_size);
	struct bytes t = { 0 };
	int fd = -1;
	int r = server_row(x->http->a->server, m->name)->handler(x->call, params, result);

	if (r < 0)
		return r;
	r = fields_write(&t, m->result(), result, &fd, &x->call->refusal);
	if (r == 0)
		answer_bytes(x, "application/json", t.p, t.n);
	else
		log_error("%s made a result that breaks its own row: %s", m->name, x->call->refusal.message);
	bytes_free(&t);
	return r;
}

static int http_pass_on(struct exchange *x, struct peer *peer, const void *params)
{
	struct raw_json answer;
	int r = peer_call_text(peer, x->call, x->route.method, params, &answer);

	if (r == 0)
		answer_bytes(x, "application/json", answer.p, answer.n);
	return r;
}

/* What a browser says of an event stream that it goes on with is newer than what stands in the address. */
static void read_cursor(struct exchange *x)
{
	const char *id = x->route.method->streams ? header(x, "Last-Event-ID") : NULL;
	size_t n = id ? strspn(id, "0123456789") : 0;

	if (n > 0 && n <= 18 && !id[n])
		json_object_set_new(x->params, METHOD_AFTER, json_integer(strtoll(id, NULL, 10)));
}

/* Who comes back after the end is told with 204 not to come again. */
static int http_follow(struct exchange *x, struct peer *peer, const void *params)
{
	const char *id = header(x, "Last-Event-ID");

	if (!id || strcmp(id, EVENTS_END) != 0)
		return events_serve(x, peer, params);
	answer_nothing(x);
	return 0;
}

static int call_raw(struct exchange *x, struct peer *peer, const void *params)
{
	void *result = arena_alloc(x->call->arena, x->route.method->result_size);
	int r = peer_call(peer, x->call, x->route.method, params, result);

	return r == 0 ? answer_body(x, result) : r;
}

/* Decoded here in any case, so that what is wrong is told at the edge and nothing unchecked goes further. */
static int http_carry_out(struct exchange *x)
{
	const struct method *m = x->route.method;
	void *params = arena_alloc(x->call->arena, m->params_size);
	struct peer *peer = peer_of(x->http->a, x->route.daemon);
	json_t *kept = NULL;
	int r;

	r = query_read(m->params(), x->params, x->query, &x->call->refusal);
	read_cursor(x);
	if (r == 0)
		r = fields_decode(x->call->arena, m->params(), x->params, NULL, params, &kept, &x->call->refusal);
	if (kept)
		call_keep(x->call, kept);
	if (r < 0)
		return REFUSED;
	if (peer && m->streams)
		return http_follow(x, peer, params);
	if (peer && m->media)
		return call_raw(x, peer, params);
	return peer ? http_pass_on(x, peer, params) : http_run_own(x, params);
}

static int handle(struct exchange *x)
{
	int r = http_check_head(x);

	if (r == 0 && http_is_safe(x) && strcmp(x->path, HTTP_PREFIX "/openapi.json") == 0) {
		answer_json(x->http, x->front.request, HTTP_OK, openapi_document(x->front.origin));
		return 0;
	}
	if (r == 0)
		r = find_route(x);
	if (r == 0)
		r = check_origin(x);
	if (r == 0)
		r = find_login(x);
	if (r == 0)
		r = check_sender(x);
	if (r == 0)
		r = call_check_scope(x->call, x->route.method);
	if (r == 0)
		r = read_body(x);
	return r == 0 ? http_carry_out(x) : r;
}

static void http_serve(void *arg)
{
	struct exchange *x = arg;
	int64_t began = loop_now();
	int r;

	x->fiber = fiber_self();
	fiber_set_local(&x->log);
	if (x->cancelled)
		fiber_cancel(x->fiber);
	r = handle(x);
	/* By the row's scope, by a handler of ours, or by the daemon that was asked: somebody wanted what is not theirs. */
	if (r == REFUSED && x->call->refusal.code == ERR_forbidden)
		audit_limited(x->call, &x->http->forbidden, "forbidden", words_new(x->call->arena, 200, "%s %s", x->verb, x->path));
	if (x->gone)
		event_free(x->gone);
	/* Its client has gone, or authd ends: no failure of anybody's, so nothing for the operator to read. */
	call_settle(x->call, r == -ECANCELED && x->cancelled ? -ECONNREFUSED : r);
	log_debug("%s %s: %s, %lld ms", x->verb, x->path, r == 0 ? "ok" : error_row(x->call->refusal.code)->name,
		(long long)(loop_now() - began));
	if (r < 0)
		answer_refusal(x->http, x->front.request, x->status, &x->call->refusal);
	fiber_set_local(NULL);
	exchange_free(x);
}

/* nginx hangs up when its client has: nobody waits for the answer any more. */
static void on_gone(evutil_socket_t, short, void *arg)
{
	exchange_cancel(arg);
}

/* evhttp itself does not look at the connection while it waits for the answer. */
static void watch_client(struct exchange *x)
{
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(x->connection));

	x->gone = event_new(loop_base(), fd, EV_CLOSED, on_gone, x);
	if (x->gone && event_add(x->gone, NULL) != 0) {
		event_free(x->gone); /* no such word from the kernel: the deadline bounds it */
		x->gone = NULL;
	}
}

/* The client as nginx names it; anything that is no address is dropped. */
static const char *client_address(struct exchange *x)
{
	const char *ip = header(x, "X-Real-IP");
	uint8_t parsed[16];

	if (!ip || (inet_pton(AF_INET, ip, parsed) != 1 && inet_pton(AF_INET6, ip, parsed) != 1))
		return NULL;
	return arena_strdup(x->call->arena, ip);
}

static void http_read_request(struct exchange *x)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(x->front.request);

	x->verb = verb_of(x->front.request);
	x->path = evhttp_uri_get_path(uri) ? evhttp_uri_get_path(uri) : "";
	x->query = evhttp_uri_get_query(uri);
	x->call->role = ROLE_FRONT;
	x->call->front = &x->front;
	x->call->acting.ip = client_address(x);
}

static void http_begin(struct http *h, struct evhttp_request *request)
{
	struct exchange *x = must(calloc(1, sizeof(*x)));

	x->http = h;
	x->front.request = request;
	x->connection = evhttp_request_get_connection(request);
	x->params = json_object();
	x->call = call_new(h->a, NULL, deadline_in(h->a->settings->request_ms));
	exact_must(x->id, sizeof(x->id), "%llu", (unsigned long long)++h->last_id);
	x->log = (struct log_context){ .connection = "http", .call = x->id };
	http_read_request(x);
	LIST_INSERT_HEAD(&h->exchanges, x, link);
	h->under_way++;
	watch_client(x);
	fiber_start("http", http_serve, x, NULL);
}

static void on_http_request(struct evhttp_request *request, void *arg)
{
	struct http *h = arg;
	enum error_code code = h->stopping ? ERR_unavailable : ERR_busy;
	struct refusal refusal;

	if (h->under_way < (size_t)h->a->settings->requests && !h->stopping) {
		http_begin(h, request);
		return;
	}
	refusal_set(&refusal, code, NULL, "%s", error_row(code)->sentence);
	answer_refusal(h, request, 0, &refusal);
}

static void http_resume_accepting(evutil_socket_t, short, void *arg)
{
	struct http *h = arg;

	if (!h->stopping)
		evconnlistener_enable(h->listener);
}

/* Out of descriptors: the client stays in the backlog, so without a pause this would come again at once for ever. */
static void on_accept_error(struct evconnlistener *listener, void *)
{
	struct http *h = listening;

	log_warning("cannot accept on the http socket: %s; trying again in %d ms", strerror(errno), ACCEPT_PAUSE_MS);
	evconnlistener_disable(listener);
	loop_arm(h->resume, ACCEPT_PAUSE_MS);
}

static void set_up(struct http *h)
{
	evhttp_set_gencb(h->evhttp, on_http_request, h);
	evhttp_set_allowed_methods(h->evhttp,
		EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			EVHTTP_REQ_PATCH | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE);
	evhttp_set_max_headers_size(h->evhttp, MOST_HEADERS);
	evhttp_set_max_body_size(h->evhttp, MOST_READ_BODY);
	evhttp_set_timeout(h->evhttp, IDLE_S);
	evconnlistener_set_error_cb(h->listener, on_accept_error);
}

int http_new(struct authd *a, int fd, struct http **ret)
{
	struct http *h = must(calloc(1, sizeof(*h)));

	h->a = a;
	evutil_make_socket_nonblocking(fd);
	h->evhttp = evhttp_new(loop_base());
	h->listener = evconnlistener_new(loop_base(), NULL, h, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	h->resume = loop_timer(http_resume_accepting, h);
	if (!h->evhttp || !h->listener || !evhttp_bind_listener(h->evhttp, h->listener)) {
		http_free(h);
		return -ENOMEM;
	}
	set_up(h);
	listening = *ret = h;
	return 0;
}

void http_drain(struct http *h, int64_t deadline)
{
	struct exchange *x;

	h->stopping = true;
	evconnlistener_disable(h->listener);
	LIST_FOREACH (x, &h->exchanges, link)
		if (x->sending) /* it has no end of its own; its reader comes back */
			exchange_cancel(x);
	while ((h->under_way || h->streaming || h->unsent) && latch_wait(&h->drained, deadline) == 0)
		;
	LIST_FOREACH (x, &h->exchanges, link)
		exchange_cancel(x);
	LATCH_AWAIT(&h->drained, h->under_way == 0 && h->streaming == 0);
}

struct http *http_free(struct http *h)
{
	if (!h)
		return NULL;
	if (h->evhttp)
		evhttp_free(h->evhttp); /* frees the listener that was bound, and every connection */
	if (h->resume)
		event_free(h->resume);
	free(h);
	return NULL;
}
