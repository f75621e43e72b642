#include "common/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "common/loop.h"
#include "common/words.h"
#include "common/worker.h"

#define LOOKUP_THREADS 4
#define LOOKUP_QUEUE   256
#define LOOKUP_MS      15000

/* One getaddrinfo(3), on a thread. */
struct lookup {
	const char *name;
	int error; /* EAI_... */
	struct addrinfo *found;
};

static void resolver_look_up(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };

	l->error = getaddrinfo(l->name, NULL, &hints, &l->found);
}

/* Adds every address that may be dialled; the sentence is the last refused one's if that leaves none. */
static int resolver_admit(const struct egress_rule *rule, struct egress_target *t, const struct lookup *l, char *why)
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
		int added = egress_rule_address(rule, t, &address, why);
		r = added < 0 ? added : r;
	}
	return t->count ? 0 : r < 0 ? r : -EHOSTUNREACH;
}

static int find_addresses(struct resolver *resolver, const struct egress_rule *rule, struct egress_target *t, char *why)
{
	struct lookup l = { .name = t->host.name };
	int r = resolver->pool ? 0 : worker_pool_new(LOOKUP_THREADS, LOOKUP_QUEUE, &resolver->pool);

	if (r == 0)
		r = worker_run(resolver->pool, resolver_look_up, &l, deadline_in(LOOKUP_MS));
	if (r < 0)
		return words_fail(r, why, EGRESS_WHY, "It could not be looked up: %s.", strerror(-r));
	r = resolver_admit(rule, t, &l, why);
	if (l.found)
		freeaddrinfo(l.found);
	return r;
}

int resolver_find(struct resolver *resolver, const struct egress_rule *rule, const char *host, size_t length, uint16_t port,
	struct egress_target *ret, char why[EGRESS_WHY])
{
	int r;

	*why = '\0';
	r = egress_rule_host(rule, host, length, port, ret, why);
	return r == 0 && ret->count == 0 ? find_addresses(resolver, rule, ret, why) : r;
}

void resolver_end(struct resolver *r)
{
	r->pool = worker_pool_free(r->pool);
}
