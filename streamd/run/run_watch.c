/* Whoever watches a run: the user it is done for, who may look at it. */
#include <string.h>

#include "proto/scope.h"
#include "streamd/run/runs_inside.h"
#include "streamd/screen/screen.h"

static const struct run *newest_at(const struct runs *runs, int64_t user, const char *site)
{
	const struct run *run;

	TAILQ_FOREACH_REVERSE (run, &runs->list, run_list, link)
		if (run->user == user && strcmp(run->recipe->name, site) == 0 && !run->screen->over)
			return run;
	return NULL;
}

void runs_find_screen(struct streamd *d, const char *site, const struct login *login, struct screen_found *ret)
{
	const struct run *run = d->runs ? newest_at(d->runs, login->user, site) : NULL;

	*ret = run ? (struct screen_found){ .screen = run->screen, .scopes = SCOPE_READ } :
		     (struct screen_found){ .close_code = EDGE_CLOSE_NOT_FOUND, .why = "No browser is open at this site for you just now." };
}
