#include "streamd/edge/edge.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/origin.h"
#include "common/settings.h"
#include "common/words.h"
#include "streamd/edge/edge_door.h"
#include "streamd/edge/edge_head.h"
#include "streamd/edge/edge_inside.h"

#define TICK_MS     1000 /* how exactly the library's own times are kept */
#define END_MS      1500
#define SEND_BUFFER (1 << 20) /* so that a picture leaves in one piece; the kernel may give less */

_Static_assert(LWS_PRE <= PICTURE_HEADROOM, "headroom is too small for libwebsockets");

/* Turns of the library. */

static bool has_hung_up(const struct line *l)
{
	struct pollfd p = { .fd = lws_get_socket_fd(l->wsi), .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1;
}

static void after_turn(struct line *l)
{
	edge_check_control(l);
	if (l->request)
		edge_request_tell(l);
	if (l->reading) /* the library takes a piece of what is there, so whether there is more is asked anew */
		event_add(l->readable, NULL);
	if (l->wants || l->once_more || lws_partial_buffered(l->wsi))
		event_add(l->writable, NULL);
	l->once_more = false;
}

static void on_turn(evutil_socket_t, short, void *arg)
{
	struct edge *e = arg;
	struct line *l;

	e->turning = true;
	lws_service(e->context, -1);
	LIST_FOREACH (l, &e->lines, link)
		after_turn(l);
	e->turning = false;
}

/* The library pings, and gives up what it waits for; whatever it then has to write is not known outside. */
static void on_tick(evutil_socket_t, short, void *arg)
{
	struct edge *e = arg;
	struct line *l;

	LIST_FOREACH (l, &e->lines, link) {
		l->once_more = true;
		if (!l->reading && has_hung_up(l))
			edge_line_kill(l);
	}
	edge_turn_soon(e);
}

static void on_edge_readable(evutil_socket_t, short, void *arg)
{
	struct line *l = arg;

	if (l->reading) {
		l->read = l->once_more = true; /* a pong, perhaps */
		edge_turn_soon(l->edge);
	} else if (has_hung_up(l)) {
		edge_line_kill(l);
	}
}

static void on_edge_writable(evutil_socket_t, short, void *arg)
{
	struct line *l = arg;

	edge_turn_soon(l->edge);
}

/* Connections. */

static void line_gone(struct line *l)
{
	struct edge *e = l->edge;
	bool told = l->id && !l->request;
	void *visitor = l->visitor;

	edge_line_free(l);
	if (LIST_EMPTY(&e->lines))
		event_del(e->tick);
	if (e->ending)
		return;
	if (told)
		e->events->closed(visitor);
	edge_door_left(e->door);
}

static struct line *line_new(struct edge *e, int fd)
{
	struct line *l = must(calloc(1, sizeof(*l)));

	l->edge = e;
	l->readable = loop_event(fd, EV_READ | EV_ET, on_edge_readable, l);
	l->writable = loop_event(fd, EV_WRITE | EV_ET, on_edge_writable, l);
	STAILQ_INIT(&l->out);
	LIST_INSERT_HEAD(&e->lines, l, link);
	return l;
}

/* Where the library makes nothing of it, it closes the descriptor, and has called back or not. */
static void on_admitted(void *owner, int fd)
{
	struct edge *e = owner;
	int size = SEND_BUFFER;
	struct line *l = line_new(e, fd);
	const lws_adopt_desc_t d = { .vh = e->vhost, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, .fd = { .sockfd = fd },
		.opaque = l };

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	loop_arm(e->tick, TICK_MS);
	l->reading = true;
	event_add(l->readable, NULL);
	l->wsi = lws_adopt_descriptor_vhost_via_info(&d);
	if (!l->wsi)
		line_gone(l);
}

static int on_edge_event(struct lws *wsi, enum lws_callback_reasons reason, void *, void *in, size_t n)
{
	struct line *l = lws_get_opaque_user_data(wsi);

	if (!l || !l->wsi) /* the library's own; and what is said again where l is dealt with */
		return 0;
	switch (reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return edge_upgrade_asked(l);
	case LWS_CALLBACK_HTTP: return -1; /* the door lets none through */
	case LWS_CALLBACK_ESTABLISHED: edge_read_on(l, false); return 0; /* until it is accepted */
	case LWS_CALLBACK_RECEIVE: return edge_received(l, in, n);
	case LWS_CALLBACK_RECEIVE_PONG: edge_ponged(l); return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE: return edge_writable(l);
	case LWS_CALLBACK_WSI_DESTROY: line_gone(l); return 0;
	default: return 0;
	}
}

/* Life. */

/* The library calls a refused WebSocket a warning; to us that is no more than its own business. */
static void on_library_log(int level, const char *text)
{
	char line[512];
	size_t n = words_set(line, sizeof(line), "libwebsockets: %s", text);

	while (line[n - 1] == ' ') /* it was the end of the line */
		line[--n] = '\0';
	log_write(level == LLL_ERR ? LOG_WARNING : LOG_DEBUG, "%s", line);
}

/* tx_packet_size: what is larger would go out in pieces, one for each turn. */
static const struct lws_protocols protocols[] = {
	{ .name = "stead", .callback = on_edge_event, .rx_buffer_size = 4096, .tx_packet_size = 64 << 20 },
	{ 0 },
};

static int edge_make_context(struct edge *e)
{
	static lws_retry_bo_t policy;
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.retry_and_idle_policy = &policy,
		.fd_limit_per_thread = (unsigned)e->config.connections + 16,
		.max_http_header_data = EDGE_HEAD_MOST,
		/* Allocated as they are needed. */
		.max_http_header_pool = (uint16_t)(e->config.connections + 16),
		.pt_serv_buf_size = EDGE_HEAD_MOST,
		.timeout_secs = 10,
		.keepalive_timeout = 10,
		.vhost_name = "stead",
	};

	policy = (lws_retry_bo_t){ .secs_since_valid_ping = (uint16_t)e->config.ping_s,
		.secs_since_valid_hangup = (uint16_t)e->config.hang_up_s };
	lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, on_library_log);
	e->context = lws_create_context(&info);
	if (!e->context)
		return -ENOMEM;
	e->vhost = lws_create_vhost(e->context, &info);
	return e->vhost ? 0 : -ENOMEM;
}

static int copy_origins(const struct words *from, struct words *ret)
{
	ret->items = must(calloc(from->count + 1, sizeof(*ret->items)));
	for (size_t i = 0; i < from->count; i++) {
		const char *why = origin_check(from->items[i]);
		if (why) {
			log_error("the setting origin does not take \"%s\": %s", from->items[i], why);
			return -EINVAL;
		}
		ret->items[ret->count++] = must(strdup(from->items[i]));
	}
	return 0;
}

static size_t or_default(size_t n, size_t otherwise)
{
	return n ? n : otherwise;
}

static struct edge_config complete(const struct edge_config *c)
{
	return (struct edge_config){ .connections = or_default(c->connections, 512),
		.message = or_default(c->message, 65536),
		.queue = or_default(c->queue, 1 << 20),
		.ping_s = (unsigned)or_default(c->ping_s, 20),
		.hang_up_s = (unsigned)or_default(c->hang_up_s, 45),
		.answer_s = (unsigned)or_default(c->answer_s, 15),
		.head_s = (unsigned)or_default(c->head_s, 10),
		.waiting = or_default(c->waiting, 64) };
}

static struct edge_door *open_door(struct edge *e, int listen_fd)
{
	const struct edge_door_config door = { .connections = e->config.connections, .waiting = e->config.waiting,
		.head_s = e->config.head_s };

	return edge_door_new(listen_fd, &door, on_admitted, e);
}

int edge_new(int listen_fd, const struct edge_config *config, const struct edge_events *events, void *owner,
	struct edge **ret)
{
	struct edge *e = must(calloc(1, sizeof(*e)));
	int r;

	e->events = events;
	e->owner = owner;
	e->config = complete(config);
	e->origins_file = must(strdup(config->origins_file ? config->origins_file : SETTINGS_SHARED_FILE));
	e->turn = loop_timer(on_turn, e);
	e->tick = loop_event(-1, EV_PERSIST, on_tick, e);
	r = copy_origins(config->origins, &e->origins);
	if (r == 0)
		r = edge_make_context(e);
	if (r < 0) {
		close(listen_fd);
		edge_free(e);
		return r;
	}
	e->door = open_door(e, listen_fd);
	*ret = e;
	return 0;
}

/* say_goodbye() sees the time. */
static void on_end(lws_sorted_usec_list_t *)
{
}

/* Everybody is told with 1001 and has some time to answer. The loop does not run meanwhile: the library waits by itself. */
static void say_goodbye(struct edge *e)
{
	lws_sorted_usec_list_t end = { 0 };
	int64_t by_ms = deadline_in(END_MS);
	struct line *l;

	e->ending = true;
	LIST_FOREACH (l, &e->lines, link)
		edge_line_close(l, EDGE_CLOSE_GOING, "Stead is being restarted.");
	lws_sul_schedule(e->context, 0, &end, on_end, END_MS * LWS_US_PER_MS);
	while (!LIST_EMPTY(&e->lines) && loop_now() < by_ms && lws_service(e->context, 0) >= 0)
		;
	lws_sul_cancel(&end);
}

struct edge *edge_free(struct edge *e)
{
	if (!e)
		return NULL;
	e->door = edge_door_free(e->door);
	if (e->vhost)
		say_goodbye(e);
	if (e->context)
		lws_context_destroy(e->context);
	event_free(e->turn);
	event_free(e->tick);
	for (size_t i = 0; i < e->origins.count; i++)
		free(e->origins.items[i]);
	free(e->origins.items);
	free(e->origins_file);
	free(e);
	return NULL;
}
