/* How streamd does, for steadctl status. */
#include "common/daemon.h"
#include "streamd/handlers.h"
#include "streamd/run/runs.h"
#include "streamd/signin/sign_ins.h"
#include "streamd/streamd.h"

int streamd_status(struct call *call, const struct streamd_status_params *, struct streamd_status_result *result)
{
	struct streamd *d = call->daemon;
	struct sign_ins_tally n = sign_ins_count(d->sign_ins, 0);

	result->version = STEAD_VERSION;
	result->up_ms = daemon_up_ms();
	result->streams = (int64_t)n.open;
	result->runs = (int64_t)runs_count(d->runs);
	result->browsers = (int64_t)n.browsers + result->runs;
	result->viewers = (int64_t)n.viewers;
	result->chromium_trouble = d->chromium_trouble[0] ? d->chromium_trouble : NULL;
	return 0;
}
