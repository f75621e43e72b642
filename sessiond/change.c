#include "sessiond/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/hub.h"
#include "common/log.h"
#include "common/words.h"

int change_parse(const char *payload, struct change *ret)
{
	struct change c = { 0 };
	long long user, version;
	int end = 0;

	if (sscanf(payload, "%lld %lld %15s%n", &user, &version, c.health, &end) != 3 || user < 1 || version < 1)
		return -EINVAL;
	if (payload[end] != ' ' || !payload[end + 1] || !exact_set(c.site, sizeof(c.site), "%s", payload + end + 1))
		return -EINVAL;
	c.user = user;
	c.version = version;
	*ret = c;
	return 0;
}

/* The channel keeps the order of the commits, so the newest of a person and site is the one that counts. */
void change_tell(struct hub *h, const char *payload)
{
	struct change c;
	char key[HUB_KEY];

	if (!payload)
		return hub_miss(h);
	if (change_parse(payload, &c) < 0) {
		log_warning("ignores a notice on the channel " CHANGE_CHANNEL " that is none of the vault's");
		return;
	}
	exact_must(key, sizeof(key), "%" PRId64 " %s", c.user, c.site);
	hub_tell(h, key, &c);
}
