#include "launcher/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "common/worker.h"

#define LOOKUP_THREADS 4
#define LOOKUP_QUEUE   256
#define LOOKUP_MS      15000
#define CONNECT_MS     10000

/* One getaddrinfo(3), on a thread. */
struct lookup {
	const char *name;
	int error; /* EAI_... */
	struct addrinfo *found;
};

static void dial_look_up(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };

	l->error = getaddrinfo(l->name, NULL, &hints, &l->found);
}

/*
 * Adds every address that may be dialled; the sentence is the last refused one's if that leaves
 * none.
 */
static int dial_admit(const struct dialer *d, struct egress_target *t, const struct lookup *l, char *why)
{
	int r = 0;

	if (l->error || !l->found) {
		if (!l->error || l->error == EAI_NONAME || l->error == EAI_NODATA)
			words_set(why, EGRESS_WHY, "It does not exist: nothing has an address of that name.");
		else
			words_set(why, EGRESS_WHY, "It could not be looked up: %s.", gai_strerror(l->error));
		return -EHOSTUNREACH;
	}
	for (const struct addrinfo *a = l->found; a; a = a->ai_next) {
		struct address address;
		if (address_from_sockaddr(a->ai_addr, &address) < 0)
			continue;
		int added = egress_rule_address(d->rule, t, &address, why);
		r = added < 0 ? added : r;
	}
	return t->count ? 0 : r < 0 ? r : -EHOSTUNREACH;
}

static int find_addresses(struct dialer *d, struct egress_target *t, char *why)
{
	struct lookup l = { .name = t->host.name };
	int r = d->pool ? 0 : worker_pool_new(LOOKUP_THREADS, LOOKUP_QUEUE, &d->pool);

	if (r == 0)
		r = worker_run(d->pool, dial_look_up, &l, deadline_in(LOOKUP_MS));
	if (r < 0)
		return words_fail(r, why, EGRESS_WHY, "It could not be looked up: %s.", strerror(-r));
	r = dial_admit(d, t, &l, why);
	if (l.found)
		freeaddrinfo(l.found);
	return r;
}

static int dial_connect_to(const struct sockaddr_storage *sa, socklen_t length, int *ret_fd)
{
	CLEANUP(closep)
	int fd = socket(sa->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0, on = 1, r;
	socklen_t n = sizeof(error);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sa, length) != 0) {
		if (errno != EINPROGRESS)
			return -errno;
		r = fiber_wait_fd(fd, EV_WRITE, deadline_in(CONNECT_MS));
		if (r < 0)
			return r;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error)
			return error ? -error : -errno;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int connect_any(const struct egress_target *t, int *ret_fd, char *why)
{
	int r = -EHOSTUNREACH;

	for (size_t i = 0; i < t->count; i++) {
		struct sockaddr_storage sa;
		socklen_t length =
			address_to_sockaddr(&t->endpoints[i].address, t->endpoints[i].port, &sa);
		r = dial_connect_to(&sa, length, ret_fd);
		if (r == 0 || r == -ECANCELED)
			return r;
	}
	if (r == -ECONNREFUSED)
		words_set(why, EGRESS_WHY, "It refuses connections.");
	else
		words_set(why, EGRESS_WHY, "It does not answer: %s.", strerror(-r));
	return -EHOSTUNREACH;
}

int dialer_dial(struct dialer *d, const char *host, size_t length, uint16_t port, int *ret_fd,
	char why[EGRESS_WHY])
{
	struct egress_target t;
	int r;

	*why = '\0';
	r = egress_rule_host(d->rule, host, length, port, &t, why);
	if (r == 0 && t.count == 0)
		r = find_addresses(d, &t, why);
	return r < 0 ? r : connect_any(&t, ret_fd, why);
}
