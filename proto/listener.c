#include "proto/listener.h"

#include <stdlib.h>

#include "common/acceptor.h"
#include "common/must.h"

struct listener {
	void (*accepted)(void *arg, int fd, enum role role, uid_t uid);
	void *arg;
	enum role role;
	uid_t uid;
	struct acceptor *acceptor;
	LIST_ENTRY(listener) link;
};

static void on_listener_accepted(void *arg, int fd)
{
	struct listener *l = arg;

	l->accepted(l->arg, fd, l->role, l->uid);
}

void listener_new(struct listener_list *list, int fd, enum role role, uid_t uid,
	void (*accepted)(void *arg, int fd, enum role role, uid_t uid), void *arg)
{
	struct listener *l = must(calloc(1, sizeof(*l)));

	l->accepted = accepted;
	l->arg = arg;
	l->role = role;
	l->uid = uid;
	l->acceptor = acceptor_new(fd, role_word(role), on_listener_accepted, l);
	LIST_INSERT_HEAD(list, l, link);
}

void listeners_free(struct listener_list *list)
{
	struct listener *l;

	while ((l = LIST_FIRST(list))) {
		LIST_REMOVE(l, link);
		acceptor_free(l->acceptor);
		free(l);
	}
}
