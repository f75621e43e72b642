#include "launcher/launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>

#include "common/loop.h"
#include "common/must.h"
#include "launcher/browser.h"
#include "launcher/egress.h"
#include "launcher/family.h"
#include "launcher/notices.h"
#include "launcher/profile.h"

static void on_child_ended(evutil_socket_t, short, void *arg)
{
	struct launcher *l = arg;

	family_reap(browser_reaped, l->browser);
	browser_settle(l->browser);
}

int launcher_new(const char *profile_root, struct launcher **ret)
{
	struct launcher *l = must(calloc(1, sizeof(*l)));
	int r = family_init();

	if (r < 0) {
		free(l);
		return r;
	}
	l->profile_root = profile_root;
	l->notices = notices_new();
	l->child_ended = loop_watch(SIGCHLD, EV_SIGNAL | EV_PERSIST, on_child_ended, l);
	profile_sweep(profile_root);
	*ret = l;
	return 0;
}

struct egress *launcher_egress(struct launcher *l)
{
	return browser_egress(l->browser);
}

struct launcher *launcher_free(struct launcher *l)
{
	if (!l)
		return NULL;
	l->browser = browser_free(l->browser);
	while (egress_any())
		loop_turn();
	event_free(l->child_ended);
	notices_free(l->notices);
	free(l);
	return NULL;
}
