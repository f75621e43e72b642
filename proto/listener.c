#include "proto/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"

struct listener {
	void (*accepted)(void *arg, int fd, enum role role, uid_t uid);
	void *arg;
	int fd;
	enum role role;
	uid_t uid;
	struct event *event, *resume;
	LIST_ENTRY(listener) link;
};

static void on_listener_resume(evutil_socket_t, short, void *arg)
{
	struct listener *l = arg;

	event_add(l->event, NULL);
}

static void on_listener_accept(evutil_socket_t fd, short, void *arg)
{
	struct listener *l = arg;
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (accepted >= 0) {
		l->accepted(l->arg, accepted, l->role, l->uid);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
		/* The peer stays in the backlog, so the event would come again at once for ever. */
		log_warning("cannot accept on the %s socket: %s; trying again in 200 ms", role_word(l->role),
			strerror(errno));
		event_del(l->event);
		loop_arm(l->resume, 200);
	}
}

int listener_new(struct listener_list *list, int fd, enum role role, uid_t uid,
	void (*accepted)(void *arg, int fd, enum role role, uid_t uid), void *arg)
{
	struct listener *l = must(calloc(1, sizeof(*l)));

	l->accepted = accepted;
	l->arg = arg;
	l->fd = fd;
	l->role = role;
	l->uid = uid;
	evutil_make_socket_nonblocking(fd);
	l->event = loop_event(fd, EV_READ | EV_PERSIST, on_listener_accept, l);
	l->resume = loop_timer(on_listener_resume, l);
	LIST_INSERT_HEAD(list, l, link);
	return event_add(l->event, NULL) == 0 ? 0 : -ENOMEM;
}

void listeners_free(struct listener_list *list)
{
	struct listener *l;

	while ((l = LIST_FIRST(list))) {
		LIST_REMOVE(l, link);
		event_free(l->event);
		event_free(l->resume);
		close(l->fd);
		free(l);
	}
}
