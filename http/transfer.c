#include "http/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/resolver.h"
#include "common/span.h"
#include "common/words.h"
#include "http/failure.h"
#include "http/trust.h"

#define CONNECT_MS 10000L  /* one endpoint's time */
#define MOST_HEAD  262144 /* bytes of the answer's head, interim ones included */

/* What is said of the body and the connection is ours to say. */
static const char *const ours[] = { "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Upgrade",
	"Accept-Encoding" };

/* libcurl's callbacks, on the loop's own stack */

static size_t give_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t most = t->request->size - t->sent - (t->holding ? 1 : 0);
	size_t some = most < size * n ? most : size * n;

	if (t->holding && some == 0) {
		t->held = true;
		latch_wake(&t->moved, 0);
		return CURL_READFUNC_PAUSE;
	}
	memcpy(p, (const char *)t->request->body + t->sent, some);
	t->sent += some;
	t->gone = t->sent == t->request->size;
	return some;
}

/* What has to be sent a second time is not sent. */
static int refuse_rewind(void *, curl_off_t, int)
{
	return CURL_SEEKFUNC_FAIL;
}

/* A line with its end; the last is empty, and one that begins with the version is the first of another (RFC 9112 section 4). */
static size_t take_head(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	t->head += size * n;
	t->headed = *p == '\r' || *p == '\n' || (t->headed && strncmp(p, "HTTP/", 5) != 0);
	t->too_large |= t->head > MOST_HEAD;
	return t->too_large ? 0 : size * n;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	t->too_large |= size * n > t->request->most - t->body.n;
	if (t->too_large)
		return 0;
	bytes_put(&t->body, p, size * n);
	return size * n;
}

/* The address that was checked, and no other. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *sa)
{
	struct transfer *t = arg;
	struct address address;

	if (purpose != CURLSOCKTYPE_IPCXN || address_from_sockaddr(&sa->addr, &address) < 0 ||
		!address_equal(&address, &t->endpoint->address))
		return CURL_SOCKET_BAD;
	t->fd = socket(sa->family, sa->socktype | SOCK_CLOEXEC, sa->protocol);
	return t->fd;
}

/* The request */

static int transfer_wrong(char *why, const char *what, const char *which)
{
	return words_fail(-EINVAL, why, HTTP_WHY, "%s \"%s\" cannot stand in a request.", what, BRIEF(80, which));
}

static bool is_value(const char *s)
{
	while (*s && *s != '\r' && *s != '\n' && *s != 0x7f)
		s++;
	return !*s;
}

static void put_field(struct transfer *t, const char *name, const char *value)
{
	CLEANUP(freep) char *line = *value ? exact_new("%s: %s", name, value) : exact_new("%s;", name);

	t->fields = must(curl_slist_append(t->fields, line));
}

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strcasecmp(ours[i], name) == 0)
			return true;
	return false;
}

static int put_fields(struct transfer *t, char *why)
{
	const struct http_request *q = t->request;
	bool typed = false;

	for (size_t i = 0; i < q->headers_count; i++) {
		const struct http_header *f = &q->headers[i];

		if (!span_is_token(span_of(f->name)) || is_ours(f->name) || !is_value(f->value))
			return transfer_wrong(why, "The header", f->name);
		put_field(t, f->name, f->value);
		typed |= strcasecmp(f->name, "Content-Type") == 0;
	}
	if (!typed) /* libcurl would say that it is a form */
		t->fields = must(curl_slist_append(t->fields, "Content-Type:"));
	t->fields = must(curl_slist_append(t->fields, "Expect:"));
	if (t->http->config.languages)
		put_field(t, "Accept-Language", t->http->config.languages);
	return 0;
}

static int find_place(struct transfer *t, char *why)
{
	const char *host = t->place.host.name;
	char refusal[EGRESS_WHY];
	int r;

	if (!place_read(t->request->url, &t->place))
		return words_fail(-EINVAL, why, HTTP_WHY, "\"%s\" is no address of a site.", BRIEF(200, t->request->url));
	r = resolver_find(t->http->config.resolver, t->http->config.rule, host, strlen(host), t->place.port, &t->target, refusal);
	return r < 0 ? words_fail(r, why, HTTP_WHY, "%s cannot be asked. %s", host, refusal) : 0;
}

/* GET and HEAD have no body by themselves; the others say that theirs is empty. */
static void put_method(struct transfer *t)
{
	const struct http_request *q = t->request;

	if (strcmp(q->method, "HEAD") == 0)
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
	else if (q->size || strcmp(q->method, "GET") != 0)
		curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, q->method);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->size);
	curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, refuse_rewind);
}

/* docs/architecture.md says what of libcurl's, of its own accord, would send a request twice. */
static void put_once(struct transfer *t)
{
	bool once = t->request->once;

	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, once ? 1L : 0L);
	curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, once ? 1L : 0L);
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, once ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
}

static void put_answer(struct transfer *t)
{
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_head);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "");
}

static void put_way(struct transfer *t)
{
	curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	trust_of(t);
}

static int build_transfer(struct transfer *t, char *why)
{
	int r;

	if (!span_is_token(span_of(t->request->method)))
		return transfer_wrong(why, "The method", t->request->method);
	r = put_fields(t, why);
	if (r == 0)
		r = find_place(t, why);
	if (r < 0)
		return r;
	t->easy = must(curl_easy_init());
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_CURLU, t->place.url);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->fields);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, t->http->config.user_agent);
	put_method(t);
	put_once(t);
	put_answer(t);
	put_way(t);
	return 0;
}

int transfer_new(struct http_client *h, const struct http_request *q, struct transfer **ret, char why[HTTP_WHY])
{
	CLEANUP(transfer_freep) struct transfer *t = must(calloc(1, sizeof(*t)));
	int r;

	*why = '\0';
	t->http = h;
	t->request = q;
	t->deadline = q->deadline;
	r = build_transfer(t, why);
	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}

struct transfer *transfer_free(struct transfer *t)
{
	if (t) {
		if (t->easy) {
			curl_multi_remove_handle(t->http->multi, t->easy);
			curl_easy_cleanup(t->easy);
		}
		place_end(&t->place);
		curl_slist_free_all(t->fields);
		curl_slist_free_all(t->connect_to);
		bytes_free(&t->body);
		free(t);
	}
	return NULL;
}

void transfer_freep(struct transfer **t)
{
	transfer_free(*t);
}

/* Its way */

void transfer_done(struct transfer *t, CURLcode result)
{
	t->result = result;
	t->done = true;
	latch_wake(&t->moved, 0);
}

static void begin_at(struct transfer *t, const struct egress_endpoint *endpoint)
{
	CLEANUP(freep) char *to = NULL;
	char address[ADDRESS_TEXT];
	bool v6 = endpoint->address.family == AF_INET6;

	address_format(&endpoint->address, address);
	to = exact_new("::%s%s%s:%u", v6 ? "[" : "", address, v6 ? "]" : "", (unsigned)endpoint->port);
	curl_slist_free_all(t->connect_to);
	t->connect_to = must(curl_slist_append(NULL, to));
	t->endpoint = endpoint;
	t->done = false;
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
	curl_multi_add_handle(t->http->multi, t->easy);
}

static int await(struct transfer *t, char *why)
{
	int r = 0;

	while (r == 0 && !t->done && !(t->holding && t->held))
		r = latch_wait(&t->moved, t->deadline);
	if (r == 0 && t->done)
		r = failure_of(t);
	if (r < 0)
		failure_say(t, r, why);
	return r;
}

/* libcurl does not look for it while it has something to send that is kept back. */
bool transfer_is_lost(const struct transfer *t)
{
	char c;

	return t->done || t->head || (recv(t->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 && errno != EAGAIN);
}

/* Nothing has been connected, so nothing was sent: another address of the same host may be tried. */
static bool may_go_on(const struct transfer *t, int r)
{
	return r == -EHOSTUNREACH && t->endpoint + 1 < t->target.endpoints + t->target.count;
}

int transfer_run(struct transfer *t, char why[HTTP_WHY])
{
	int r;

	*why = '\0';
	begin_at(t, t->target.endpoints);
	r = await(t, why);
	while (may_go_on(t, r)) {
		curl_multi_remove_handle(t->http->multi, t->easy);
		begin_at(t, t->endpoint + 1);
		r = await(t, why);
	}
	return r;
}

int transfer_finish(struct transfer *t, int64_t deadline, char why[HTTP_WHY])
{
	*why = '\0';
	if (transfer_is_lost(t)) {
		transfer_done(t, CURLE_SEND_ERROR);
		return await(t, why);
	}
	t->deadline = deadline;
	t->holding = false;
	curl_easy_pause(t->easy, CURLPAUSE_CONT);
	return await(t, why);
}
