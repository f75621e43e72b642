/* One connection on the thread of libwebsockets: its request, what comes in, what goes out, its end. */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cookie.h"
#include "common/loop.h"
#include "common/origin.h"
#include "common/utf.h"
#include "common/words.h"
#include "streamd/edge_thread.h"

#define GIVE_UP_US   (5 * LWS_US_PER_SEC) /* for a peer to read what is left */
#define ANSWER_US    (60 * LWS_US_PER_SEC) /* for a peer to read a whole answer */
#define CONTROL_MS   10000                /* over which pings and pongs are counted; browsers send no pings */
#define MOST_CONTROL 20
#define MOST_UNREAD  (256 << 10)          /* bytes of messages for the loop; above it nothing is read */
#define HEAD_SIZE    2048
#define FOREIGN_PAUSE_MS 1000              /* between what the log is told of other sites' pages */
#define BODY_PIECE   (64 << 10)

static void want_write(struct line_thread *l)
{
	l->turn_wanted = true;
	lws_callback_on_writable(l->wsi);
}

/* Going on to read may cost a turn to write, for the library deals in one with what it had put aside. */
static void read_more(struct line_thread *l, bool more)
{
	if (more)
		l->turn_wanted = true;
	lws_rx_flow_control(l->wsi, more);
}

/* The end. */

/*
 * Not waiting for our turn: a peer that sends without pause or never reads would keep it from us. how: at once
 * (LWS_TO_KILL_SYNC, which may free l) or, where the library is in the middle of something, as soon as it is not.
 */
static void kill_now(struct line_thread *l, int how)
{
	if (l->line->websocket && !l->said_close)
		lws_close_reason(l->wsi, (enum lws_close_status)l->close_code, (uint8_t *)l->reason,
			strlen(l->reason));
	l->said_close = true;
	lws_set_timeout(l->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, how);
}

static void on_give_up(lws_sorted_usec_list_t *sul)
{
	kill_now(lws_container_of(sul, struct line_thread, give_up), LWS_TO_KILL_ASYNC);
}

static void drop_out(struct line_thread *l)
{
	struct order *o;

	while ((o = STAILQ_FIRST(&l->out))) {
		STAILQ_REMOVE_HEAD(&l->out, link);
		order_free(o);
	}
}

static void drop_message(struct line_thread *l)
{
	if (l->message)
		explicit_bzero(l->message, l->got);
	free(l->message);
	l->message = NULL;
	l->got = l->room = 0;
}

/* The one way out that we take: it leads through on_writable(), after the text that is queued. */
void edge_socket_close(struct line_thread *l, int code, const char *reason)
{
	if (l->closing)
		return;
	l->closing = true;
	l->close_code = code;
	words_set(l->reason, sizeof(l->reason), "%s", reason);
	picture_unref(line_take_picture(l->line));
	drop_message(l);
	if (!l->line->websocket && !l->streaming && !l->answer) /* a GET that nobody answered */
		l->answer = order_new(ORDER_ANSWER, l->line, reason, strlen(reason));
	lws_sul_schedule(l->thread->context, 0, &l->give_up, on_give_up, GIVE_UP_US);
	read_more(l, true);
	want_write(l);
}

/* Something is wrong with what the peer sent: what waits to be sent matters no more. */
static int refuse_input(struct line_thread *l, int code, const char *reason)
{
	edge_say(l->thread, LOG_DEBUG, "viewer %llu is closed with %d: %s", (unsigned long long)l->line->id, code,
		reason);
	drop_out(l);
	edge_socket_close(l, code, reason);
	return 0;
}

static void line_gone(struct edge_session *session)
{
	struct line_thread *l = session->line;

	if (!l)
		return;
	session->line = NULL;
	LIST_REMOVE(l, link);
	lws_sul_cancel(&l->give_up);
	drop_out(l);
	drop_message(l);
	if (l->answer)
		order_free(l->answer);
	l->line->thread = NULL;
	picture_unref(line_take_picture(l->line));
	edge_report(l->thread, l->line->closed); /* hands the reference over */
	free(l);
}

/* The request. */

struct request {
	char path[512], query[512], cookies[8192], cookie[129], ip[64], last_event_id[32], origin[256], accept[256], host[256];
	char site[32]; /* Sec-Fetch-Site */
	const char *own; /* the one of Stead's origins that Host names, or NULL */
};

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
static void read_cookie(const struct edge_thread *t, struct request *q)
{
	q->own = origin_of_host(t->config.origins, q->host);
	if (q->own)
		cookie_find(q->cookies, cookie_login_name(origin_is_https(q->own)), q->cookie, sizeof(q->cookie));
}

static void read_request(const struct edge_thread *t, struct lws *wsi, struct request *ret)
{
	memset(ret, 0, sizeof(*ret));
	copy_header(wsi, WSI_TOKEN_GET_URI, ret->path, sizeof(ret->path));
	copy_query(wsi, ret->query, sizeof(ret->query));
	copy_header(wsi, WSI_TOKEN_HTTP_COOKIE, ret->cookies, sizeof(ret->cookies));
	copy_header(wsi, WSI_TOKEN_ORIGIN, ret->origin, sizeof(ret->origin));
	copy_header(wsi, WSI_TOKEN_HTTP_ACCEPT, ret->accept, sizeof(ret->accept));
	copy_header(wsi, WSI_TOKEN_HTTP_X_REAL_IP, ret->ip, sizeof(ret->ip));
	copy_other_header(wsi, "last-event-id:", ret->last_event_id, sizeof(ret->last_event_id));
	copy_other_header(wsi, "sec-fetch-site:", ret->site, sizeof(ret->site));
	copy_header(wsi, WSI_TOKEN_HOST, ret->host, sizeof(ret->host));
	read_cookie(t, ret);
}

static struct report *report_asked(struct line *line, const struct request *q)
{
	const char *texts[ASKED_TEXTS] = { [ASKED_PATH] = q->path,
		[ASKED_QUERY] = q->query,
		[ASKED_COOKIE] = q->cookie,
		[ASKED_IP] = q->ip,
		[ASKED_LAST_EVENT_ID] = q->last_event_id };
	char all[sizeof(struct request)];
	struct report *r;
	size_t n = 0;

	for (int i = 0; i < ASKED_TEXTS; i++) {
		size_t size = strlen(texts[i]) + 1;
		memcpy(all + n, texts[i], size);
		n += size;
	}
	r = report_new(REPORT_ASKED, line, all, n);
	explicit_bzero(all, n);
	return r;
}

static void on_undecided(lws_sorted_usec_list_t *sul)
{
	struct line_thread *l = lws_container_of(sul, struct line_thread, give_up);

	edge_say(l->thread, LOG_WARNING, "A request was not decided on in time; it is closed.");
	edge_socket_close(l, EDGE_CLOSE_UNAVAILABLE, "Stead did not answer in time; try again in a moment.");
}

static struct line_thread *line_begin(struct edge_thread *t, struct lws *wsi, const struct request *q, bool websocket)
{
	struct line_thread *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->line = line_new(++t->last_id);
	l->line->websocket = websocket;
	l->line->event_stream = !websocket && strstr(q->accept, "text/event-stream");
	l->line->thread = l;
	l->thread = t;
	l->wsi = wsi;
	STAILQ_INIT(&l->out);
	LIST_INSERT_HEAD(&t->lines, l, link);
	lws_sul_schedule(t->context, 0, &l->give_up, on_undecided, t->config.answer_s * LWS_US_PER_SEC);
	return l;
}

static void ask(struct edge_thread *t, struct lws *wsi, struct edge_session *session, struct request *q,
	bool websocket)
{
	session->line = line_begin(t, wsi, q, websocket);
	edge_report(t, report_asked(session->line->line, q));
	explicit_bzero(q, sizeof(*q));
}

/* Refuses before anybody has heard of it. The role is a WebSocket's already, so the answer is written as it is. */
static int refuse_upgrade(struct edge_thread *t, struct lws *wsi, const char *status, const char *sentence)
{
	uint8_t buffer[LWS_PRE + 1024];
	char *text = (char *)buffer + LWS_PRE;

	exact_must(text, sizeof(buffer) - LWS_PRE,
		"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n\r\n%s",
		status, strlen(sentence), sentence);

	edge_say(t, LOG_DEBUG, "a WebSocket is refused: %s", sentence);
	lws_write(wsi, buffer + LWS_PRE, strlen(text), LWS_WRITE_HTTP_HEADERS);
	return -1;
}

/* Whoever sends many fills no log. */
static void say_foreign(struct edge_thread *t, const struct request *q)
{
	int64_t now = loop_now();
	const char *from = *q->origin ? q->origin : *q->site ? q->site : "a page that does not say whose it is";

	if (t->foreign_said_ms && now - t->foreign_said_ms < FOREIGN_PAUSE_MS)
		return;
	t->foreign_said_ms = now;
	edge_say(t, LOG_WARNING,
		"a request to %s for the host \"%s\" was refused, for it came from %s; if that is Stead's own page, add its address to the setting origin in %s",
		BRIEF(80, q->path), BRIEF(80, q->host), BRIEF(120, from), t->config.origins_file);
}

static int on_upgrade(struct edge_thread *t, struct lws *wsi, struct edge_session *session)
{
	struct request q;

	if (t->ending)
		return refuse_upgrade(t, wsi, "503 Service Unavailable",
			"Stead is being restarted; try again in a moment.");
	read_request(t, wsi, &q);
	if (!q.own || strcmp(q.origin, q.own) != 0) {
		say_foreign(t, &q);
		return refuse_upgrade(t, wsi, "403 Forbidden",
			"The connection came from another site and was refused; use Stead's own page.");
	}
	if (strncmp(q.path, "/ws/", 4) != 0)
		return refuse_upgrade(t, wsi, "404 Not Found", "There is nothing at this address.");
	ask(t, wsi, session, &q, true);
	return 0;
}

static int answer_plain(struct lws *wsi, int status, const char *sentence);

/* Other sites may neither read nor trigger anything; a person who opens a picture in a tab comes from none. */
static bool get_is_foreign(const struct request *q)
{
	if (!q->own || (*q->origin && strcmp(q->origin, q->own) != 0))
		return true;
	return *q->site && strcmp(q->site, "same-origin") != 0 && strcmp(q->site, "none") != 0;
}

static int on_get(struct edge_thread *t, struct lws *wsi, struct edge_session *session)
{
	struct request q;

	if (t->ending)
		return answer_plain(wsi, 503, "Stead is being restarted; try again in a moment.");
	if (session->line || lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0)
		return answer_plain(wsi, 405, "Only GET is served here.");
	read_request(t, wsi, &q);
	if (get_is_foreign(&q)) {
		say_foreign(t, &q);
		return answer_plain(wsi, 403,
			"The request came from another site and was refused; use Stead's own page.");
	}
	if (strncmp(q.path, "/ws/", 4) != 0)
		return answer_plain(wsi, 404, "There is nothing at this address.");
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	ask(t, wsi, session, &q, false);
	return 0;
}

/* What comes in. */

static void window_pass(struct line_thread *l)
{
	int64_t now = loop_now();

	if (now - l->control_since_ms < CONTROL_MS)
		return;
	l->control_since_ms = now;
	l->odd_turns = l->pongs = 0;
}

/*
 * libwebsockets answers pings by itself and tells nobody. What can be seen of one, once its pong has gone, is a turn to
 * write that we have not asked for. (Of many that come at once it answers one.)
 */
static void count_turn(struct line_thread *l)
{
	window_pass(l);
	if (!l->turn_wanted && ++l->odd_turns > MOST_CONTROL && !l->closing)
		refuse_input(l, EDGE_CLOSE_POLICY, "Too many pings.");
	l->turn_wanted = l->turn_missed = false;
}

static bool could_write(struct line_thread *l)
{
	struct pollfd p = { .fd = lws_get_socket_fd(l->wsi), .events = POLLOUT };

	return !lws_partial_buffered(l->wsi) && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/*
 * Pings without a pause leave no gap: there is always a pong to be sent first, and our turn never comes although the
 * socket could be written to. Called now and then, a second or more apart, with many turns of the service loop between
 * and none under way; l may be gone afterwards.
 */
void edge_socket_check(struct line_thread *l)
{
	if (!l->line->websocket || l->closing)
		return;
	if (!l->turn_missed) {
		l->turn_missed = true; /* until it comes */
		want_write(l);
	} else if (could_write(l)) {
		refuse_input(l, EDGE_CLOSE_POLICY, "Too many pings.");
		kill_now(l, LWS_TO_KILL_SYNC);
	}
}

static void count_pong(struct line_thread *l)
{
	window_pass(l);
	if (++l->pongs > MOST_CONTROL)
		refuse_input(l, EDGE_CLOSE_POLICY, "Too many pongs.");
}

static void deliver(struct line_thread *l)
{
	struct report *r = report_new(REPORT_MESSAGE, l->line, l->message, l->got);
	size_t unread = atomic_fetch_add(&l->line->unread, l->got + sizeof(*r)) + l->got + sizeof(*r);

	edge_report(l->thread, r);
	drop_message(l);
	if (unread > MOST_UNREAD) {
		read_more(l, false);
		atomic_store(&l->line->starved, true);
		/* The loop may have read everything before it could see that we starve. */
		if (atomic_load(&l->line->unread) == 0 && atomic_exchange(&l->line->starved, false))
			read_more(l, true);
	}
}

/* The room doubles, so that a message in very many pieces is not copied as often; the old room is cleansed. */
static void make_room(struct line_thread *l, size_t n)
{
	char *p = malloc(2 * n);

	if (!p)
		abort();
	if (l->message) {
		memcpy(p, l->message, l->got);
		explicit_bzero(l->message, l->got);
		free(l->message);
	}
	l->message = p;
	l->room = 2 * n;
}

static void append(struct line_thread *l, const char *in, size_t n)
{
	if (!l->message || l->room - l->got < n)
		make_room(l, l->got + n + 1);
	memcpy(l->message + l->got, in, n);
	l->got += n;
}

static int on_receive(struct line_thread *l, const char *in, size_t n)
{
	size_t most = l->thread->config.message;
	size_t rest = lws_remaining_packet_payload(l->wsi);

	if (l->closing)
		return 0;
	if (!l->accepted)
		return refuse_input(l, EDGE_CLOSE_POLICY, "Wait for the first message before sending.");
	if (lws_frame_is_binary(l->wsi))
		return refuse_input(l, EDGE_CLOSE_BINARY, "Only text is taken here.");
	if (n > most - l->got || rest > most - l->got - n)
		return refuse_input(l, EDGE_CLOSE_TOO_BIG, "The message is larger than Stead accepts.");
	append(l, in, n);
	if (rest > 0 || !lws_is_final_fragment(l->wsi))
		return 0;
	if (!utf8_valid(l->message, l->got))
		return refuse_input(l, EDGE_CLOSE_UTF8, "The message is not UTF-8.");
	deliver(l);
	return 0;
}

/* What goes out. */

static void text_gone(struct line_thread *l, size_t n)
{
	struct line *line = l->line;

	atomic_fetch_add(&line->written, n);
	if (!STAILQ_EMPTY(&l->out) || atomic_exchange(&line->drained_posted, true))
		return;
	line_ref(line);
	edge_report(l->thread, line->drained);
}

static int send_text(struct line_thread *l)
{
	struct order *o = STAILQ_FIRST(&l->out);
	enum lws_write_protocol how = l->line->websocket ? LWS_WRITE_TEXT : LWS_WRITE_HTTP;
	int r = lws_write(l->wsi, o->bytes, o->size, how);

	STAILQ_REMOVE_HEAD(&l->out, link);
	text_gone(l, o->size);
	order_free(o);
	return r < 0 ? -1 : 0;
}

static int send_picture(struct line_thread *l)
{
	struct picture *p = line_take_picture(l->line);
	int r;

	if (!p)
		return 0;
	r = lws_write(l->wsi, picture_message(p), picture_size(p), LWS_WRITE_BINARY);
	l->flying[l->flying_count++] = picture_seq(p);
	picture_unref(p);
	return r < 0 ? -1 : 0;
}

static bool may_send_picture(struct line_thread *l)
{
	return l->accepted && l->flying_count < MOST_FLYING && atomic_load(&l->line->slot);
}

static bool wants_write(struct line_thread *l)
{
	return !STAILQ_EMPTY(&l->out) || l->closing || may_send_picture(l);
}

static int on_writable(struct line_thread *l)
{
	int r = 0;

	if (l->said_close) /* what the peer still sends can bring us here; it is to have time to answer */
		return 0;
	count_turn(l);
	if (!STAILQ_EMPTY(&l->out)) {
		r = send_text(l);
	} else if (l->closing) {
		l->said_close = true;
		lws_close_reason(l->wsi, (enum lws_close_status)l->close_code, (uint8_t *)l->reason,
			strlen(l->reason));
		return -1;
	} else if (may_send_picture(l)) {
		r = send_picture(l);
	}
	if (r == 0 && wants_write(l))
		want_write(l);
	else if (r == 0 && lws_partial_buffered(l->wsi))
		l->turn_wanted = true; /* the rest goes out by itself, and then our turn comes */
	return r;
}

/* length: LWS_ILLEGAL_HTTP_CONTENT_LEN for a body without one. */
static int write_head(struct lws *wsi, int status, const char *type, lws_filepos_t length)
{
	uint8_t buffer[LWS_PRE + HEAD_SIZE], *start = buffer + LWS_PRE, *p = start, *end = buffer + sizeof(buffer) - 1;
	static const char *const more[][2] = { { "cache-control:", "no-store" },
		{ "x-content-type-options:", "nosniff" },
		{ "x-accel-buffering:", "no" } };

	if (lws_add_http_common_headers(wsi, (unsigned)status, type, length, &p, end))
		return -1;
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (lws_add_http_header_by_name(wsi, (const uint8_t *)more[i][0], (const uint8_t *)more[i][1],
			    (int)strlen(more[i][1]), &p, end))
			return -1;
	if (length != LWS_ILLEGAL_HTTP_CONTENT_LEN &&
		lws_add_http_header_by_name(wsi, (const uint8_t *)"connection:", (const uint8_t *)"close", 5, &p, end))
		return -1;
	return lws_finalize_write_http_header(wsi, start, &p, end);
}

/* All at once. The sentence is one of ours, and short. */
static int answer_plain(struct lws *wsi, int status, const char *sentence)
{
	uint8_t buffer[LWS_PRE + 512];
	size_t n = strlen(sentence);

	assert(n <= sizeof(buffer) - LWS_PRE);
	memcpy(buffer + LWS_PRE, sentence, n);
	if (write_head(wsi, status, "text/plain; charset=utf-8", n) == 0)
		lws_write(wsi, buffer + LWS_PRE, n, LWS_WRITE_HTTP);
	return -1; /* closes it; what is buffered still goes out */
}

/* -1 closes the connection: when it has failed as well as when it is done; what is buffered still goes out. */
static int send_answer(struct line_thread *l)
{
	struct order *a = l->answer;
	size_t n = a->size - l->answered;

	if (!l->headed) {
		l->headed = true;
		/* RFC 9110 section 8.6: no length with 204. */
		if (write_head(l->wsi, a->status ? a->status : 503, *a->content_type ? a->content_type : "text/plain",
			    a->status == 204 ? LWS_ILLEGAL_HTTP_CONTENT_LEN : a->size))
			return -1;
	} else if (n > 0) {
		if (n > BODY_PIECE)
			n = BODY_PIECE;
		if (lws_write(l->wsi, a->bytes + l->answered, n, LWS_WRITE_HTTP) < 0)
			return -1;
		l->answered += n;
	}
	if (l->answered == a->size)
		return -1;
	want_write(l);
	return 0;
}

/* The order that began it is the first that waits. */
static int begin_stream(struct line_thread *l)
{
	struct order *o = STAILQ_FIRST(&l->out);
	int r = write_head(l->wsi, o->status, o->content_type, LWS_ILLEGAL_HTTP_CONTENT_LEN);

	l->headed = true;
	STAILQ_REMOVE_HEAD(&l->out, link);
	order_free(o);
	return r;
}

static int on_http_writable(struct line_thread *l)
{
	int r = 0;

	if (l->answer)
		return send_answer(l);
	if (l->streaming && !l->headed) {
		r = begin_stream(l);
	} else if (!STAILQ_EMPTY(&l->out)) {
		r = send_text(l);
	} else if (l->closing) {
		return -1;
	}
	if (r == 0 && (!STAILQ_EMPTY(&l->out) || l->closing))
		want_write(l);
	return r;
}

/* Orders. */

static void decided(struct line_thread *l)
{
	if (!l->closing)
		lws_sul_cancel(&l->give_up);
}

static void order_accept(struct line_thread *l)
{
	decided(l);
	if (l->line->websocket) {
		l->accepted = true;
		read_more(l, true);
	}
}

/* Takes the order over where it keeps it. */
static struct order *order_answer(struct line_thread *l, struct order *o)
{
	if (l->line->websocket || l->answer || l->streaming)
		return o;
	lws_sul_schedule(l->thread->context, 0, &l->give_up, on_give_up, ANSWER_US);
	l->answer = o;
	want_write(l);
	return NULL;
}

static struct order *order_refuse(struct line_thread *l, struct order *o)
{
	if (!l->line->websocket) {
		exact_must(o->content_type, sizeof(o->content_type), "text/plain; charset=utf-8");
		return order_answer(l, o);
	}
	edge_socket_close(l, o->close_code, (char *)o->bytes);
	return o;
}

static struct order *order_stream(struct line_thread *l, struct order *o)
{
	if (l->line->websocket || l->answer || l->streaming)
		return o;
	decided(l);
	l->streaming = true;
	STAILQ_INSERT_TAIL(&l->out, o, link);
	want_write(l);
	return NULL;
}

static struct order *order_text(struct line_thread *l, struct order *o)
{
	if (l->closing || (!l->accepted && !l->streaming))
		return o;
	STAILQ_INSERT_TAIL(&l->out, o, link);
	want_write(l);
	return NULL;
}

/* at_once: the peer does not read, so what waits for it is dropped. */
static void order_close(struct line_thread *l, const struct order *o)
{
	if (o->at_once)
		drop_out(l);
	edge_socket_close(l, o->close_code, (const char *)o->bytes);
}

static void land(struct line_thread *l, uint32_t seq)
{
	unsigned left = 0;

	for (unsigned i = 0; i < l->flying_count; i++)
		if ((int32_t)(l->flying[i] - seq) > 0)
			l->flying[left++] = l->flying[i];
	l->flying_count = left;
}

static void order_look(struct line_thread *l)
{
	uint64_t acked = atomic_exchange(&l->line->acked, 0);

	if (acked)
		land(l, (uint32_t)acked);
	if (atomic_load(&l->line->unread) <= MOST_UNREAD / 2 && atomic_exchange(&l->line->starved, false))
		read_more(l, true);
	if (!l->closing && may_send_picture(l))
		want_write(l);
}

void edge_socket_order(struct line_thread *l, struct order *o)
{
	switch (o->kind) {
	case ORDER_ACCEPT: order_accept(l); break;
	case ORDER_REFUSE: o = order_refuse(l, o); break;
	case ORDER_ANSWER: o = order_answer(l, o); break;
	case ORDER_STREAM: o = order_stream(l, o); break;
	case ORDER_TEXT: o = order_text(l, o); break;
	case ORDER_CLOSE: order_close(l, o); break;
	case ORDER_LOOK: order_look(l); break;
	case ORDER_ADOPT:
	case ORDER_END: break;
	}
	if (o)
		order_free(o);
}

int edge_socket_event(struct edge_thread *t, struct lws *wsi, enum lws_callback_reasons reason,
	struct edge_session *session, const char *in, size_t n)
{
	struct line_thread *l = session ? session->line : NULL;

	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return strcasecmp(in, "websocket") == 0 ? 0 : -1;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return on_upgrade(t, wsi, session);
	case LWS_CALLBACK_HTTP: return on_get(t, wsi, session);
	case LWS_CALLBACK_HTTP_BODY: return -1; /* a GET has none that we want */
	case LWS_CALLBACK_HTTP_BODY_COMPLETION: return -1;
	case LWS_CALLBACK_WSI_DESTROY:
		if (session)
			line_gone(session);
		return 0;
	default: break;
	}
	if (!l)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED: read_more(l, false); return 0;
	case LWS_CALLBACK_RECEIVE: return on_receive(l, in, n);
	case LWS_CALLBACK_RECEIVE_PONG: count_pong(l); return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE: return on_writable(l);
	case LWS_CALLBACK_HTTP_WRITEABLE: return on_http_writable(l);
	default: return 0;
	}
}
