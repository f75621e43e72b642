/*
 * Patterns of hosts: "desk.example" is that host, "*.desk.example" every name below it (not
 * itself), and either may end in ":8443". Without a port, 80 and 443 are meant. An IP address
 * stands for itself alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/host.h"

struct hostpattern {
	struct host host;
	bool below;    /* *.host */
	uint16_t port; /* 0: 80 and 443 */
};

/* -EINVAL if text is not such a pattern. */
int hostpattern_parse(const char *text, struct hostpattern *ret);

/* Whether the host is meant, whatever the port. */
bool hostpattern_has_host(const struct hostpattern *p, const struct host *host);

bool hostpattern_has_port(const struct hostpattern *p, uint16_t port);
