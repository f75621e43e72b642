#include "streamd/edge.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/origin.h"
#include "common/settings.h"
#include "common/words.h"
#include "streamd/edge_door.h"
#include "streamd/edge_line.h"
#include "streamd/edge_thread.h"
#include "streamd/mailbox.h"

#define BUCKETS     256 /* ids count up, so they spread evenly */
#define MOST_UNREAD (128 << 10) /* below this a thread that starves is told to read on */

struct edge {
	struct edge_thread *thread;
	struct edge_door *door;
	struct mailbox reports;
	int report_fd;
	struct event *report_event;
	const struct edge_events *events;
	void *owner;
	struct words origins;
	char *origins_file;
	size_t queue; /* bytes of text for one page */
	size_t count;
	LIST_HEAD(, line) lines[BUCKETS];
};

static struct line *find(const struct edge *e, uint64_t id)
{
	struct line *l;

	LIST_FOREACH (l, &e->lines[id % BUCKETS], loop.link)
		if (l->id == id)
			return l;
	return NULL;
}

/* One that may still be spoken to. */
static struct line *find_open(const struct edge *e, uint64_t id)
{
	struct line *l = find(e, id);

	return l && !l->loop.closing ? l : NULL;
}

static void look(struct edge *e, struct line *l)
{
	if (atomic_exchange(&l->look_posted, true))
		return;
	line_ref(l);
	edge_thread_post(e->thread, &l->look);
}

/* Reports. */

static void take_asked(struct edge *e, const struct report *r)
{
	struct line *l = line_ref(r->line);
	const char *texts[ASKED_TEXTS], *p = r->bytes;

	for (int i = 0; i < ASKED_TEXTS; i++) {
		texts[i] = p;
		p += strlen(p) + 1;
	}
	LIST_INSERT_HEAD(&e->lines[l->id % BUCKETS], l, loop.link);
	e->count++;
	struct edge_request request = { .path = texts[ASKED_PATH],
		.query = texts[ASKED_QUERY],
		.cookie = texts[ASKED_COOKIE],
		.ip = texts[ASKED_IP],
		.last_event_id = texts[ASKED_LAST_EVENT_ID],
		.websocket = l->websocket,
		.event_stream = l->event_stream };
	e->events->asked(e, e->owner, l->id, &request);
}

static void take_message(struct edge *e, const struct report *r)
{
	struct line *l = r->line;
	size_t cost = r->size + sizeof(*r);
	size_t left;

	if (!l->loop.closing)
		e->events->message(e, e->owner, l->id, r->bytes, r->size);
	left = atomic_fetch_sub(&l->unread, cost) - cost;
	if (left <= MOST_UNREAD && atomic_load(&l->starved))
		look(e, l);
}

static void take_drained(struct edge *e, struct line *l)
{
	atomic_store(&l->drained_posted, false); /* before looking, as in carry_out() */
	if (!l->loop.closing && atomic_load(&l->written) == l->loop.given && e->events->drained)
		e->events->drained(e, e->owner, l->id);
}

static void take_closed(struct edge *e, struct line *l)
{
	LIST_REMOVE(l, loop.link);
	e->count--;
	e->events->closed(e, e->owner, l->id);
	line_unref(l);
}

static void take(struct edge *e, struct report *r)
{
	switch (r->kind) {
	case REPORT_ASKED: take_asked(e, r); break;
	case REPORT_MESSAGE: take_message(e, r); break;
	case REPORT_DRAINED: take_drained(e, r->line); break;
	case REPORT_CLOSED: take_closed(e, r->line); break;
	case REPORT_LEFT: edge_door_left(e->door); break;
	case REPORT_LOG:
		atomic_fetch_sub(&e->thread->logs, 1);
		log_write(r->level, "%s", r->bytes);
		break;
	}
	report_free(r);
}

static void on_report(evutil_socket_t fd, short what, void *arg)
{
	struct edge *e = arg;
	struct letter *letter;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) < 0)
		return; /* taken already */
	letter = mailbox_take(&e->reports);
	while (letter) {
		struct letter *next = letter->next;
		take(e, (struct report *)(void *)((char *)letter - offsetof(struct report, letter)));
		letter = next;
	}
}

/* Life. */

static int copy_origins(const struct words *from, struct words *ret)
{
	ret->items = calloc(from->count + 1, sizeof(*ret->items));
	if (!ret->items)
		abort();
	for (size_t i = 0; i < from->count; i++) {
		const char *why = origin_check(from->items[i]);
		if (why) {
			log_error("the setting origin does not take \"%s\": %s", from->items[i], why);
			return -EINVAL;
		}
		ret->items[ret->count] = strdup(from->items[i]);
		if (!ret->items[ret->count++])
			abort();
	}
	return 0;
}

static size_t or_default(size_t n, size_t otherwise)
{
	return n ? n : otherwise;
}

static struct edge_config complete(const struct edge *e, const struct edge_config *c)
{
	return (struct edge_config){ .origins = &e->origins,
		.origins_file = e->origins_file,
		.connections = or_default(c->connections, 512),
		.message = or_default(c->message, 65536),
		.queue = or_default(c->queue, 1 << 20),
		.ping_s = (unsigned)or_default(c->ping_s, 20),
		.hang_up_s = (unsigned)or_default(c->hang_up_s, 45),
		.answer_s = (unsigned)or_default(c->answer_s, 15),
		.head_s = (unsigned)or_default(c->head_s, 10),
		.waiting = or_default(c->waiting, 64) };
}

static void on_admitted(void *owner, int fd)
{
	struct edge *e = owner;
	struct order *o = order_new(ORDER_ADOPT, NULL, NULL, 0);

	o->fd = fd;
	edge_thread_post(e->thread, o);
}

static int start_thread(struct edge *e, const struct edge_config *whole)
{
	e->queue = whole->queue;
	e->report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->report_fd < 0)
		return -errno;
	e->report_event = event_new(loop_base(), e->report_fd, EV_READ | EV_PERSIST, on_report, e);
	if (!e->report_event || event_add(e->report_event, NULL) < 0)
		return -ENOMEM;
	return edge_thread_start(whole, &e->reports, e->report_fd, &e->thread);
}

static int start(struct edge *e, int listen_fd, const struct edge_config *config)
{
	struct edge_config whole = complete(e, config);
	const struct edge_door_config door = { .connections = whole.connections, .waiting = whole.waiting, .head_s = whole.head_s };
	int r = start_thread(e, &whole);

	if (r < 0) {
		close(listen_fd);
		return r;
	}
	return edge_door_new(listen_fd, &door, on_admitted, e, &e->door);
}

int edge_new(int listen_fd, const struct edge_config *config, const struct edge_events *events, void *owner,
	struct edge **ret)
{
	struct edge *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		abort();
	e->report_fd = -1;
	e->events = events;
	e->owner = owner;
	e->origins_file = strdup(config->origins_file ? config->origins_file : SETTINGS_SHARED_FILE);
	if (!e->origins_file)
		abort();
	r = copy_origins(config->origins, &e->origins);
	if (r < 0)
		close(listen_fd);
	else
		r = start(e, listen_fd, config);
	if (r < 0) {
		edge_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

static void drop_lines(struct edge *e)
{
	struct letter *letter = mailbox_take(&e->reports);
	struct line *l;

	while (letter) {
		struct letter *next = letter->next;
		report_free((struct report *)(void *)((char *)letter - offsetof(struct report, letter)));
		letter = next;
	}
	for (int i = 0; i < BUCKETS; i++)
		while ((l = LIST_FIRST(&e->lines[i]))) {
			LIST_REMOVE(l, loop.link);
			line_unref(l);
		}
}

struct edge *edge_free(struct edge *e)
{
	if (!e)
		return NULL;
	e->door = edge_door_free(e->door);
	if (e->thread)
		e->thread = edge_thread_stop(e->thread);
	drop_lines(e);
	if (e->report_event)
		event_free(e->report_event);
	if (e->report_fd >= 0)
		close(e->report_fd);
	for (size_t i = 0; i < e->origins.count; i++)
		free(e->origins.items[i]);
	free(e->origins.items);
	free(e->origins_file);
	free(e);
	return NULL;
}

/* Calls. */

void edge_accept(struct edge *e, uint64_t id)
{
	struct line *l = find_open(e, id);

	if (!l || l->loop.decided)
		return;
	l->loop.decided = true;
	edge_thread_post(e->thread, order_new(ORDER_ACCEPT, l, NULL, 0));
}

void edge_refuse(struct edge *e, uint64_t id, int close_code, int status, const char *sentence)
{
	struct line *l = find_open(e, id);
	struct order *o;

	if (!l || l->loop.decided)
		return;
	l->loop.decided = l->loop.closing = true;
	o = order_new(ORDER_REFUSE, l, sentence, strlen(sentence));
	o->close_code = close_code;
	o->status = status;
	edge_thread_post(e->thread, o);
}

static void answer(struct edge *e, struct line *l, enum order_kind kind, int status, const char *content_type,
	const void *bytes, size_t n)
{
	struct order *o = order_new(kind, l, bytes, n);

	l->loop.decided = true;
	o->status = status;
	exact_must(o->content_type, sizeof(o->content_type), "%s", content_type);
	edge_thread_post(e->thread, o);
}

void edge_answer(struct edge *e, uint64_t id, int status, const char *content_type, const void *bytes, size_t n)
{
	struct line *l = find_open(e, id);

	if (!l || l->loop.decided || l->websocket)
		return;
	l->loop.closing = true;
	answer(e, l, ORDER_ANSWER, status, content_type, bytes, n);
}

void edge_stream(struct edge *e, uint64_t id, const char *content_type)
{
	struct line *l = find_open(e, id);

	if (!l || l->loop.decided || l->websocket)
		return;
	answer(e, l, ORDER_STREAM, 200, content_type, NULL, 0);
}

static size_t queued(const struct line *l)
{
	return l->loop.given - atomic_load(&l->written);
}

static void close_line(struct edge *e, struct line *l, int code, const char *reason, bool at_once)
{
	struct order *o = order_new(ORDER_CLOSE, l, reason, strlen(reason));

	l->loop.closing = true;
	o->close_code = code;
	o->at_once = at_once;
	edge_thread_post(e->thread, o);
}

void edge_send_text(struct edge *e, uint64_t id, const char *text, size_t n)
{
	struct line *l = find_open(e, id);

	if (!l)
		return;
	assert(l->loop.decided);
	if (queued(l) + n > e->queue) {
		log_debug("viewer %llu does not read and is closed", (unsigned long long)id);
		close_line(e, l, EDGE_CLOSE_POLICY, "The page does not read what it is sent.", true);
		return;
	}
	l->loop.given += n;
	edge_thread_post(e->thread, order_new(ORDER_TEXT, l, text, n));
}

size_t edge_queued(const struct edge *e, uint64_t id)
{
	struct line *l = find(e, id);

	return l ? queued(l) : 0;
}

void edge_send_picture(struct edge *e, uint64_t id, struct picture *p)
{
	struct line *l = find_open(e, id);

	if (!l)
		return;
	line_put_picture(l, picture_ref(p));
	look(e, l);
}

void edge_picture_acked(struct edge *e, uint64_t id, uint32_t seq)
{
	struct line *l = find_open(e, id);

	if (!l)
		return;
	atomic_store(&l->acked, ACKED | seq);
	look(e, l);
}

void edge_close(struct edge *e, uint64_t id, int code, const char *reason)
{
	struct line *l = find_open(e, id);

	if (l)
		close_line(e, l, code, reason, false);
}

size_t edge_count(const struct edge *e)
{
	return e->count;
}
