#include "authd/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
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

#include "authd/audit.h"
#include "authd/state.h"
#include "authd/cookie.h"
#include "authd/front.h"
#include "authd/login.h"
#include "authd/openapi.h"
#include "authd/origin.h"
#include "authd/query.h"
#include "authd/route.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
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
#define FOREIGN_A_MINUTE 30 /* audit rows about requests of other sites; the rest is counted */

/* One request under way. */
struct front {
	struct http *http;
	struct evhttp_request *request;
	struct evhttp_connection *connection;
	struct call *call;
	struct fiber *fiber; /* once it runs */
	bool cancelled;
	struct event *gone;
	const char *verb, *origin; /* origin: the one of ours that Host names */
	const char *path, *query;
	struct route route;
	json_t *params;
	bool signed_in;
	struct login login;
	int status; /* set where it is not the refusal's own */
	char allow[64];
	char id[24];
	struct log_context log;
	LIST_ENTRY(front) link;
};

/* An answer that has not left yet. */
struct sending {
	struct http *http;
	struct evhttp_connection *connection;
};

struct http {
	struct authd *a;
	struct evhttp *evhttp;
	struct evconnlistener *listener;
	struct event *resume;
	size_t under_way, unsent;
	uint64_t last_id;
	bool stopping;
	struct wait *drained;
	int64_t foreign_since;
	size_t foreign, foreign_unsaid;
	LIST_HEAD(, front) fronts;
};

/* For on_accept_error(), which libevent hands evhttp's pointer in place of ours. */
static struct http *listening;

const struct login *front_login(const struct front *f)
{
	return f->signed_in ? &f->login : NULL;
}

bool front_https(const struct front *f)
{
	return origin_is_https(f->origin);
}

static const char *header(const struct front *f, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(f->request), name);
}

bool front_cookie(const struct front *f, const char *name, char *out, size_t size)
{
	return cookie_find(header(f, "Cookie"), name, out, size);
}

static void set_header(struct evhttp_request *request, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

void front_set_cookie(struct front *f, const char *cookie)
{
	set_header(f->request, "Set-Cookie", cookie);
}

void front_set_retry_after(struct front *f, int64_t ms)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)((ms + 999) / 1000));
	set_header(f->request, "Retry-After", seconds);
}

static void check_drained(struct http *h)
{
	if (h->drained && h->under_way == 0 && h->unsent == 0)
		wait_wake(h->drained, 0);
}

static void sent(struct sending *s)
{
	evhttp_connection_set_closecb(s->connection, NULL, NULL);
	s->http->unsent--;
	check_drained(s->http);
	free(s);
}

static void on_sent(struct evhttp_request *request, void *arg)
{
	(void)request;
	sent(arg);
}

static void on_lost(struct evhttp_connection *connection, void *arg)
{
	(void)connection;
	sent(arg);
}

static void free_text(const void *text, size_t length, void *arg)
{
	(void)arg;
	json_text_free((char *)text, length);
}

/* Sends document (taken over) as the answer. */
static void send_json(struct http *h, struct evhttp_request *request, int status, json_t *document)
{
	struct sending *s = calloc(1, sizeof(*s));
	struct evbuffer *body = evbuffer_new();
	size_t length;
	char *text = json_text(document, &length), digits[24];

	if (!s || !body)
		abort();
	json_decref(document);
	s->http = h;
	s->connection = evhttp_request_get_connection(request);
	h->unsent++;
	evhttp_request_set_on_complete_cb(request, on_sent, s);
	evhttp_connection_set_closecb(s->connection, on_lost, s);
	set_header(request, "Content-Type", "application/json");
	set_header(request, "Cache-Control", "no-store");
	set_header(request, "X-Content-Type-Options", "nosniff");
	snprintf(digits, sizeof(digits), "%zu", length);
	set_header(request, "Content-Length", digits);
	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD)
		json_text_free(text, length);
	else if (evbuffer_add_reference(body, text, length, free_text, NULL) < 0)
		abort();
	evhttp_send_reply(request, status, NULL, body);
	evbuffer_free(body);
}

static void send_refusal(struct http *h, struct evhttp_request *request, int status, const struct refusal *refusal)
{
	int own = error_row(refusal->code)->http;
	json_t *error = json_pack("{ss ss}", "code", error_row(refusal->code)->name, "message", refusal->message);
	json_t *document = json_pack("{so}", "error", error);

	if (!document)
		abort();
	if (*refusal->field)
		json_object_set_new(error, "field", json_string(refusal->field));
	if (own == 503 && !evhttp_find_header(evhttp_request_get_output_headers(request), "Retry-After"))
		set_header(request, "Retry-After", "1");
	send_json(h, request, status ? status : own, document);
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

static bool is_safe(const struct front *f)
{
	return strcmp(f->verb, "GET") == 0 || strcmp(f->verb, "HEAD") == 0;
}

static size_t count_header(const struct front *f, const char *name)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(f->request);
	const struct evkeyval *h;
	size_t n = 0;

	for (h = headers->tqh_first; h; h = h->next.tqe_next)
		n += strcasecmp(h->key, name) == 0;
	return n;
}

/* A header as it may be shown and stored: what is not printable ASCII is a question mark, and 150 bytes are enough. */
static const char *shown(struct front *f, const char *text)
{
	char *copy = arena_printf(f->call->arena, "%.150s", text ? text : "");

	for (char *p = copy; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return copy;
}

/* What two readers of one request could take for different things is refused (RFC 9112 section 11.2). */
static int check_head(struct front *f)
{
	static const char *const once[] = { "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Origin",
		"Sec-Fetch-Site", "X-Real-IP", NULL };

	for (const char *const *name = once; *name; name++)
		if (count_header(f, *name) > 1)
			return call_refuse(f->call, ERR_malformed, *name, "The header %s stands there twice.", *name);
	if (count_header(f, "Content-Length") && count_header(f, "Transfer-Encoding"))
		return call_refuse(f->call, ERR_malformed, "Content-Length",
			"The request says its length in two ways.");
	f->origin = origin_of_host(&f->http->a->settings->origin, header(f, "Host"));
	if (!f->origin)
		return call_refuse(f->call, ERR_cross_site, "Host",
			"Stead is not known under the name \"%s\"; open it at its own address, or have the administrator add this one to the setting origin of authd.",
			shown(f, header(f, "Host")));
	return 0;
}

static int find_route(struct front *f)
{
	struct refusal *why = &f->call->refusal;
	int r = route_find(f->http->a->routes, f->verb, f->path, f->params, &f->route, f->allow, sizeof(f->allow), why);

	if (r == -ENOENT)
		return call_refuse(f->call, ERR_unknown_method, NULL,
			"There is nothing at this address; %s/openapi.json lists what there is.", ROUTE_PREFIX);
	if (r == -EPERM) {
		f->status = HTTP_BADMETHOD;
		set_header(f->request, "Allow", f->allow);
		return call_refuse(f->call, ERR_unknown_method, NULL, "This address does not take %s, but %s.",
			f->verb, f->allow);
	}
	if (r < 0)
		return REFUSED;
	f->call->method = f->route.method;
	f->log.method = f->route.method->name;
	return 0;
}

/*
 * Anybody's page can make a browser send these, so their rows are few; what is left out is counted in the next one.
 * The refusal stands whether the row can be written or not.
 */
static void audit_foreign(struct front *f, const char *detail)
{
	struct http *h = f->http;
	const char *text = detail;
	const struct audit *entry;
	int r;

	if (loop_now() - h->foreign_since > 60000) {
		h->foreign_since = loop_now();
		h->foreign = 0;
	}
	if (++h->foreign > FOREIGN_A_MINUTE) {
		h->foreign_unsaid++;
		return;
	}
	if (h->foreign_unsaid)
		text = arena_printf(f->call->arena, "%s; %zu more were not recorded", detail, h->foreign_unsaid);
	h->foreign_unsaid = 0;
	entry = &(const struct audit){ .event = "cross_site_refused", .ip = f->call->acting.ip, .detail = text };
	r = audit_alone(h->a->db, authd_db_deadline(h->a, f->call->deadline), entry);
	if (r < 0 && r != -ENOTCONN)
		authd_db_failed(h->a, "recording a refusal", r);
}

static int check_origin(struct front *f)
{
	const char *site = header(f, "Sec-Fetch-Site"), *origin = header(f, "Origin");
	const char *from = origin ? origin : site ? site : "nowhere";

	if (is_safe(f))
		return 0;
	switch (origin_judge(f->origin, site, origin)) {
	case ORIGIN_OWN: return 0;
	case ORIGIN_UNKNOWN:
		call_refuse(f->call, ERR_cross_site, "Origin",
			"The request does not say which page it comes from; send the header \"Origin: %s\".", f->origin);
		break;
	case ORIGIN_FOREIGN: call_refuse(f->call, ERR_cross_site, NULL, "%s", ""); break;
	}
	audit_foreign(f, arena_printf(f->call->arena, "%s, from %s", f->route.method->name, shown(f, from)));
	return REFUSED;
}

static int find_login(struct front *f)
{
	char cookie[LOGIN_COOKIE];
	struct acting *acting = &f->call->acting;
	int r;

	if (!front_cookie(f, cookie_login_name(front_https(f)), cookie, sizeof(cookie)))
		return 0;
	r = login_find(f->http->a, f->call->arena, cookie, f->call->deadline, &f->login);
	explicit_bzero(cookie, sizeof(cookie));
	if (r == -ENOENT)
		return 0;
	/* Who signs in needs no login, so a database that is down is told by the handler. */
	if (r < 0)
		return f->route.method->right == RIGHT_ANYONE ? 0 : r;
	f->signed_in = true;
	acting->user = f->login.user;
	acting->name = f->log.user = f->login.user_name;
	acting->login = f->login.name;
	acting->admin = f->login.admin;
	return 0;
}

static bool is_json(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;

	return n == strlen("application/json") && strncasecmp(type, "application/json", n) == 0;
}

/* The body's bytes, where a password may be, are wiped as soon as they have been read. */
static int parse_body(struct front *f, size_t n, json_t **ret)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(f->request);
	unsigned char *text = evbuffer_pullup(body, (ssize_t)n);
	const char *why = NULL;
	int r;

	if (!text)
		return call_refuse(f->call, ERR_malformed, NULL, "The body is empty; send one JSON object, perhaps {}.");
	r = json_read((const char *)text, n, ret, &why);
	explicit_bzero(text, n);
	evbuffer_drain(body, n);
	return r < 0 ? call_refuse(f->call, ERR_malformed, NULL, "%s", why) : 0;
}

static int read_body(struct front *f)
{
	size_t n = evbuffer_get_length(evhttp_request_get_input_buffer(f->request));
	json_t *body = NULL;
	int r;

	if (is_safe(f))
		return n ? call_refuse(f->call, ERR_malformed, NULL, "A %s request has no body.", f->verb) : 0;
	if (!is_json(header(f, "Content-Type")))
		return call_refuse(f->call, ERR_unsupported, "Content-Type", "%s", "");
	if (n > HTTP_MOST_BODY)
		return call_refuse(f->call, ERR_too_large, NULL,
			"The body has %zu bytes; Stead accepts %d at most.", n, HTTP_MOST_BODY);
	r = parse_body(f, n, &body);
	if (r < 0)
		return r;
	call_keep(f->call, body); /* its texts are what the parameters point to */
	return query_merge(f->params, body, &f->call->refusal) < 0 ? REFUSED : 0;
}

static struct peer *peer_of(const struct authd *a, const char *daemon)
{
	if (strcmp(daemon, "streamd") == 0)
		return a->streamd;
	if (strcmp(daemon, "sessiond") == 0)
		return a->sessiond;
	return strcmp(daemon, "botd") == 0 ? a->botd : NULL;
}

/* authd's own method: its handler runs on this fiber. */
static int run_own(struct front *f, const void *params, json_t **ret)
{
	const struct method *m = f->route.method;
	void *result = arena_alloc(f->call->arena, m->result_size);
	int fd = -1;
	int r = server_row(f->http->a->server, m->name)->handler(f->call, params, result);

	if (r < 0)
		return r;
	r = fields_encode(m->result(), result, ret, &fd, &f->call->refusal);
	if (r < 0)
		log_error("%s made a result that breaks its own row: %s", m->name, f->call->refusal.message);
	return r;
}

/* Decoded here in any case, so that what is wrong is told at the edge and nothing unchecked goes further. */
static int carry_out(struct front *f, json_t **ret)
{
	const struct method *m = f->route.method;
	void *params = arena_alloc(f->call->arena, m->params_size);
	struct peer *peer = peer_of(f->http->a, f->route.daemon);
	int r;

	r = query_read(m->params(), f->params, f->query, &f->call->refusal);
	if (r == 0)
		r = fields_decode(f->call->arena, m->params(), f->params, NULL, params, &f->call->refusal);
	if (r < 0)
		return REFUSED;
	return peer ? peer_call_json(peer, f->call, m, f->params, ret) : run_own(f, params, ret);
}

static int handle(struct front *f, json_t **ret)
{
	int r = check_head(f);

	if (r == 0 && is_safe(f) && strcmp(f->path, ROUTE_PREFIX "/openapi.json") == 0) {
		*ret = openapi_document(f->http->a->routes, f->origin);
		return 0;
	}
	if (r == 0)
		r = find_route(f);
	if (r == 0)
		r = check_origin(f);
	if (r == 0)
		r = find_login(f);
	if (r == 0)
		r = call_check_right(f->call, f->route.method);
	if (r == 0)
		r = read_body(f);
	return r == 0 ? carry_out(f, ret) : r;
}

static struct front *front_free(struct front *f)
{
	struct http *h = f->http;

	LIST_REMOVE(f, link);
	h->under_way--;
	json_decref(f->params);
	call_free(f->call);
	free(f);
	check_drained(h);
	return NULL;
}

static void serve(void *arg)
{
	struct front *f = arg;
	json_t *result = NULL;
	int64_t began = loop_now();
	int r;

	f->fiber = fiber_self();
	fiber_set_local(&f->log);
	if (f->cancelled)
		fiber_cancel(f->fiber);
	r = handle(f, &result);
	if (f->gone)
		event_free(f->gone);
	call_settle(f->call, r == -ECANCELED && f->http->stopping ? -ECONNREFUSED : r);
	log_debug("%s %s: %s, %lld ms", f->verb, f->path, r == 0 ? "ok" : error_row(f->call->refusal.code)->name,
		(long long)(loop_now() - began));
	if (r == 0)
		send_json(f->http, f->request, HTTP_OK, result);
	else
		send_refusal(f->http, f->request, f->status, &f->call->refusal);
	fiber_set_local(NULL);
	front_free(f);
}

static void cancel(struct front *f)
{
	f->cancelled = true;
	fiber_cancel(f->fiber);
}

/* nginx hangs up when its client has: nobody waits for the answer any more. */
static void on_gone(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	cancel(arg);
}

/* evhttp itself does not look at the connection while it waits for the answer. */
static void watch_client(struct front *f)
{
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(f->connection));

	f->gone = event_new(loop_base(), fd, EV_CLOSED, on_gone, f);
	if (f->gone && event_add(f->gone, NULL) != 0) {
		event_free(f->gone); /* no such word from the kernel: the deadline bounds it */
		f->gone = NULL;
	}
}

/* The client as nginx names it; anything that is no address is dropped. */
static const char *client_address(struct front *f)
{
	const char *ip = header(f, "X-Real-IP");
	uint8_t parsed[16];

	if (!ip || (inet_pton(AF_INET, ip, parsed) != 1 && inet_pton(AF_INET6, ip, parsed) != 1))
		return NULL;
	return arena_strdup(f->call->arena, ip);
}

static void read_request(struct front *f)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(f->request);

	f->verb = verb_of(f->request);
	f->path = evhttp_uri_get_path(uri) ? evhttp_uri_get_path(uri) : "";
	f->query = evhttp_uri_get_query(uri);
	f->call->role = ROLE_FRONT;
	f->call->front = f;
	f->call->acting.ip = client_address(f);
}

static void begin(struct http *h, struct evhttp_request *request)
{
	struct front *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->http = h;
	f->request = request;
	f->connection = evhttp_request_get_connection(request);
	f->params = json_object();
	f->call = call_new(h->a, NULL, deadline_in(h->a->settings->request_ms));
	snprintf(f->id, sizeof(f->id), "%llu", (unsigned long long)++h->last_id);
	f->log = (struct log_context){ .connection = "http", .call = f->id };
	read_request(f);
	LIST_INSERT_HEAD(&h->fronts, f, link);
	h->under_way++;
	watch_client(f);
	fiber_start("http", serve, f, NULL);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct http *h = arg;
	enum error_code code = h->stopping ? ERR_unavailable : ERR_busy;
	struct refusal refusal;

	if (h->under_way < (size_t)h->a->settings->requests && !h->stopping) {
		begin(h, request);
		return;
	}
	refusal_set(&refusal, code, NULL, "%s", error_row(code)->sentence);
	send_refusal(h, request, 0, &refusal);
}

static void resume_accepting(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct http *h = arg;

	if (!h->stopping)
		evconnlistener_enable(h->listener);
}

/* Out of descriptors: the client stays in the backlog, so without a pause this would come again at once for ever. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct http *h = listening;
	struct timeval pause = { .tv_usec = ACCEPT_PAUSE_MS * 1000 };

	(void)arg;
	log_warning("cannot accept on the http socket: %s; trying again in %d ms", strerror(errno), ACCEPT_PAUSE_MS);
	evconnlistener_disable(listener);
	event_add(h->resume, &pause);
}

static void set_up(struct http *h)
{
	evhttp_set_gencb(h->evhttp, on_request, h);
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
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->a = a;
	LIST_INIT(&h->fronts);
	evutil_make_socket_nonblocking(fd);
	h->evhttp = evhttp_new(loop_base());
	h->listener = evconnlistener_new(loop_base(), NULL, h, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	h->resume = event_new(loop_base(), -1, 0, resume_accepting, h);
	if (!h->evhttp || !h->listener || !h->resume || !evhttp_bind_listener(h->evhttp, h->listener)) {
		http_free(h);
		return -ENOMEM;
	}
	set_up(h);
	listening = *ret = h;
	return 0;
}

static void wait_drained(struct http *h, int64_t deadline)
{
	struct wait w = { 0 };

	if (h->under_way == 0 && h->unsent == 0)
		return;
	h->drained = &w;
	wait_for(&w, deadline);
	h->drained = NULL;
}

void http_drain(struct http *h, int64_t deadline)
{
	struct front *f;

	h->stopping = true;
	evconnlistener_disable(h->listener);
	wait_drained(h, deadline);
	LIST_FOREACH (f, &h->fronts, link)
		cancel(f);
	while (h->under_way)
		wait_drained(h, deadline_in(1000));
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
