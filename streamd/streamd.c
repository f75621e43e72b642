#include "streamd/streamd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/words.h"
#include "streamd/handlers.h"
#include "streamd/runs.h"
#include "streamd/streams.h"

const struct recipe *streamd_recipe(struct streamd *d, struct call *call, const char *site)
{
	const struct recipe *r = recipe_find(d->recipes, site);

	if (!r)
		call_refuse(call, ERR_not_found, "site",
			"There is no recipe for the site \"%s\"; the dashboard lists the sites there are.", BRIEF(64, site));
	return r;
}

void streamd_environment(const struct recipe *recipe, int width, int height, struct environment *ret)
{
	const struct recipe_environment *e = &recipe->environment;

	*ret = (struct environment){ .languages = e->locale,
		.time_zone = e->time_zone,
		.locale = e->locale,
		.screen = { .width = 2560, .height = 1440, .color_depth = 24 }, /* a common one, in which every window has room */
		.width = width,
		.height = height };
}

int streamd_note_start(struct streamd *d, struct call *call, int r)
{
	if (r == 0)
		d->chromium_trouble[0] = '\0';
	else if (r == REFUSED)
		words_set(d->chromium_trouble, sizeof(d->chromium_trouble), "%s", call_cause(call, REFUSED));
	return r;
}

int streamd_status(struct call *call, const struct streamd_status_params *params, struct streamd_status_result *result)
{
	struct streamd *d = call->daemon;

	(void)params;
	result->version = STEAD_VERSION;
	result->up_ms = daemon_up_ms();
	result->streams = (int64_t)streams_count(d->streams);
	result->runs = (int64_t)runs_count(d->runs);
	result->browsers = (int64_t)streams_browsers(d->streams) + result->runs;
	result->viewers = (int64_t)streams_viewers(d->streams);
	result->chromium_trouble = d->chromium_trouble[0] ? d->chromium_trouble : NULL;
	return 0;
}
