#include "common/acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"

#define AT_ONCE  16  /* so that a crowd does not starve those who are in */
#define PAUSE_MS 200 /* until another try when there was no descriptor left */

struct acceptor {
	int fd;
	const char *what;
	void (*accepted)(void *arg, int fd);
	void *arg;
	struct event *readable, *again;
	bool held, failing, said; /* failing: until it is tried again; said: since one was accepted last */
};

static void acceptor_watch(struct acceptor *a)
{
	if (a->held || a->failing)
		event_del(a->readable);
	else
		event_add(a->readable, NULL);
}

static void on_acceptor_again(evutil_socket_t, short, void *arg)
{
	struct acceptor *a = arg;

	a->failing = false;
	acceptor_watch(a);
}

static void accept_failed(struct acceptor *a, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return;
	if (!a->said)
		log_warning("cannot accept %s connections: %s; they wait, and it is tried again every %d ms. Raise LimitNOFILE= if this lasts.",
			a->what, strerror(error), PAUSE_MS);
	a->said = a->failing = true;
	acceptor_watch(a);
	loop_arm(a->again, PAUSE_MS);
}

static void on_connection(evutil_socket_t fd, short, void *arg)
{
	struct acceptor *a = arg;

	for (int i = 0; i < AT_ONCE && !a->held; i++) {
		int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (accepted < 0) {
			accept_failed(a, errno);
			return;
		}
		a->said = false;
		a->accepted(a->arg, accepted);
	}
}

struct acceptor *acceptor_new(int fd, const char *what, void (*accepted)(void *arg, int fd), void *arg)
{
	struct acceptor *a = must(calloc(1, sizeof(*a)));

	evutil_make_socket_nonblocking(fd);
	*a = (struct acceptor){ .fd = fd, .what = what, .accepted = accepted, .arg = arg };
	a->again = loop_timer(on_acceptor_again, a);
	a->readable = loop_watch(fd, EV_READ | EV_PERSIST, on_connection, a);
	return a;
}

void acceptor_hold(struct acceptor *a, bool held)
{
	if (a->held == held)
		return;
	a->held = held;
	acceptor_watch(a);
}

struct acceptor *acceptor_free(struct acceptor *a)
{
	if (!a)
		return NULL;
	event_free(a->readable);
	event_free(a->again);
	close(a->fd);
	free(a);
	return NULL;
}
