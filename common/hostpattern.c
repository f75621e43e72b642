#include "common/hostpattern.h"

#include <errno.h>
#include <string.h>

int hostpattern_parse(const char *text, struct hostpattern *ret)
{
	struct hostpattern p = { .below = strncmp(text, "*.", 2) == 0 };
	const char *name = p.below ? text + 2 : text;
	int r = host_parse_port(name, strlen(name), 0, &p.host, &p.port);

	if (r < 0)
		return r;
	if (p.below && p.host.literal)
		return -EINVAL;
	*ret = p;
	return 0;
}

bool hostpattern_has_host(const struct hostpattern *p, const struct host *host)
{
	size_t all = strlen(host->name), end = strlen(p->host.name);

	if (!p->below)
		return host_equal(&p->host, host);
	return !host->literal && all > end + 1 && host->name[all - end - 1] == '.' &&
	       strcmp(host->name + all - end, p->host.name) == 0;
}

bool hostpattern_has_port(const struct hostpattern *p, uint16_t port)
{
	return p->port ? p->port == port : port == 80 || port == 443;
}
