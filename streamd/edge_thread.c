#include "streamd/edge_thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/words.h"
#include "streamd/edge_head.h"

#define CHECK_TURNS     512
#define CHECK_MS        1000
#define END_MS          1500
#define SEND_BUFFER     (1 << 20) /* so that a picture leaves in one piece; the kernel may give less */
#define MOST_LOGS       64        /* lines waiting for the loop; a peer can cause some */

static_assert(LWS_PRE <= ORDER_HEADROOM && LWS_PRE <= PICTURE_HEADROOM, "headroom is too small for libwebsockets");

/* The thread that this is, for the library's log, which has no other way to know. */
static _Thread_local struct edge_thread *present;

void edge_report(struct edge_thread *t, struct report *r)
{
	const uint64_t one = 1;

	if (mailbox_put(t->reports, &r->letter) && write(t->report_fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd refuses only what is not one */
}

static void say(struct edge_thread *t, enum log_level level, const char *line)
{
	struct report *r;

	if (!log_enabled(level) || atomic_fetch_add(&t->logs, 1) >= MOST_LOGS) {
		atomic_fetch_sub(&t->logs, log_enabled(level) ? 1 : 0);
		return;
	}
	r = report_new(REPORT_LOG, NULL, line, strlen(line));
	r->level = level;
	edge_report(t, r);
}

void edge_say(struct edge_thread *t, enum log_level level, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	words_set_v(line, sizeof(line), format, args);
	va_end(args);
	say(t, level, line);
}

/* The library calls a refused WebSocket a warning; to us that is no more than its own business. */
static void on_library_log(int level, const char *text)
{
	char line[512];
	size_t n = words_set(line, sizeof(line), "libwebsockets: %s", text);

	while (line[n - 1] == ' ') /* it was the end of the line */
		line[--n] = '\0';
	if (present)
		say(present, level == LLL_ERR ? LOG_WARNING : LOG_DEBUG, line);
	else
		log_debug("%s", line);
}

static void left(struct edge_thread *t)
{
	edge_report(t, report_new(REPORT_LEFT, NULL, NULL, 0));
}

/* Where the library has made nothing of it, it has closed the descriptor and says no more. */
static void adopt(struct edge_thread *t, int fd)
{
	int size = SEND_BUFFER;
	unsigned before = t->made;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (!lws_adopt_socket_vhost(t->vhost, fd) && t->made == before)
		left(t);
}

static void on_end(lws_sorted_usec_list_t *sul)
{
	(void)sul; /* serve() sees the time */
}

/* Everybody is told with 1001 and has until end_by_ms to answer. */
static void begin_end(struct edge_thread *t)
{
	struct line_thread *l, *next;

	t->ending = true;
	t->end_by_ms = loop_now() + END_MS;
	for (l = LIST_FIRST(&t->lines); l; l = next) {
		next = LIST_NEXT(l, link);
		edge_socket_close(l, EDGE_CLOSE_GOING, "Stead is being restarted.");
	}
	lws_sul_schedule(t->context, 0, &t->end, on_end, END_MS * LWS_US_PER_MS);
}

static void carry_out(struct edge_thread *t, struct order *o)
{
	if (o->kind == ORDER_LOOK)
		atomic_store(&o->line->look_posted, false); /* before looking: what comes now is posted again */
	if (o->kind == ORDER_END) {
		begin_end(t);
		order_free(o);
	} else if (o->kind == ORDER_ADOPT) {
		adopt(t, o->fd);
		o->fd = -1;
		order_free(o);
	} else if (o->line->thread) {
		edge_socket_order(o->line->thread, o);
	} else {
		order_free(o);
	}
}

static void carry_out_all(struct edge_thread *t)
{
	struct letter *letter = mailbox_take(&t->orders);

	while (letter) {
		struct letter *next = letter->next;
		carry_out(t, lws_container_of(letter, struct order, letter));
		letter = next;
	}
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *session, void *in, size_t n)
{
	struct edge_thread *t = present;

	if (!t) /* the context is being made or destroyed */
		return 0;
	switch (reason) {
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		carry_out_all(t);
		return 0;
	case LWS_CALLBACK_WSI_CREATE:
		t->made++;
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		edge_socket_event(t, wsi, reason, session, in, n);
		left(t);
		return 0;
	default:
		return edge_socket_event(t, wsi, reason, session, in, n);
	}
}

/* tx_packet_size: what is larger would go out in pieces, one for each turn of the service loop. */
static const struct lws_protocols protocols[] = {
	{ .name = "stead",
		.callback = on_event,
		.per_session_data_size = sizeof(struct edge_session),
		.rx_buffer_size = 4096,
		.tx_packet_size = 64 << 20 },
	{ 0 },
};

/* Whoever keeps the loop busy without pause is looked at; while it is not, nobody is woken for that. */
static void check_busy(struct edge_thread *t)
{
	struct line_thread *l, *next;

	if (++t->turns % CHECK_TURNS != 0 || loop_now() - t->checked_ms < CHECK_MS)
		return;
	t->checked_ms = loop_now();
	for (l = LIST_FIRST(&t->lines); l; l = next) {
		next = LIST_NEXT(l, link);
		edge_socket_check(l);
	}
}

static void serve(struct edge_thread *t)
{
	while (lws_service(t->context, 0) >= 0) {
		if (t->ending && (LIST_EMPTY(&t->lines) || loop_now() >= t->end_by_ms))
			return;
		check_busy(t);
	}
}

static void *run(void *arg)
{
	struct edge_thread *t = arg;

	present = t;
	pthread_setname_np(pthread_self(), "edge");
	serve(t);
	return NULL;
}

static void fill_info(const struct edge_thread *t, lws_retry_bo_t *policy, struct lws_context_creation_info *ret)
{
	*policy = (lws_retry_bo_t){ .secs_since_valid_ping = (uint16_t)t->config.ping_s,
		.secs_since_valid_hangup = (uint16_t)t->config.hang_up_s };
	*ret = (struct lws_context_creation_info){
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.retry_and_idle_policy = policy,
		.fd_limit_per_thread = (unsigned)t->config.connections + 16,
		.max_http_header_data = EDGE_HEAD_MOST,
		/* An event stream keeps its head until it ends, so there is one for each; they are allocated as they are needed. */
		.max_http_header_pool = (uint16_t)(t->config.connections + 16),
		.pt_serv_buf_size = EDGE_HEAD_MOST,
		.timeout_secs = 10,
		.keepalive_timeout = 10,
		.vhost_name = "stead",
	};
}

static int make_context(struct edge_thread *t)
{
	static lws_retry_bo_t policy;
	struct lws_context_creation_info info;

	fill_info(t, &policy, &info);
	lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, on_library_log);
	t->context = lws_create_context(&info);
	if (!t->context)
		return -ENOMEM;
	t->vhost = lws_create_vhost(t->context, &info);
	return t->vhost ? 0 : -ENOMEM;
}

/* Signals are the loop's: the thread is born with all of them blocked. */
static int start(struct edge_thread *t)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int edge_thread_start(const struct edge_config *config, struct mailbox *reports, int report_fd, struct edge_thread **ret)
{
	struct edge_thread *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		abort();
	t->config = *config;
	t->reports = reports;
	t->report_fd = report_fd;
	LIST_INIT(&t->lines);
	r = make_context(t);
	if (r == 0)
		r = start(t);
	if (r < 0) {
		if (t->context)
			lws_context_destroy(t->context);
		free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void edge_thread_post(struct edge_thread *t, struct order *o)
{
	if (mailbox_put(&t->orders, &o->letter))
		lws_cancel_service(t->context);
}

static void drop_orders(struct edge_thread *t)
{
	struct letter *letter = mailbox_take(&t->orders);

	while (letter) {
		struct letter *next = letter->next;
		order_free(lws_container_of(letter, struct order, letter));
		letter = next;
	}
}

struct edge_thread *edge_thread_stop(struct edge_thread *t)
{
	if (!t)
		return NULL;
	edge_thread_post(t, order_new(ORDER_END, NULL, NULL, 0));
	pthread_join(t->thread, NULL);
	present = t; /* what is left is closed here */
	lws_context_destroy(t->context);
	present = NULL;
	drop_orders(t);
	free(t);
	return NULL;
}
