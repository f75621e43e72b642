#include "launcher/dial.h"

#include <errno.h>
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

#define CONNECT_MS     10000

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
	r = resolver_find(&d->resolver, d->rule, host, length, port, &t, why);
	return r < 0 ? r : connect_any(&t, ret_fd, why);
}
