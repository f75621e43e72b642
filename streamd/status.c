/* How streamd does, for steadctl status. */
#include "common/daemon.h"
#include "streamd/handlers.h"
#include "streamd/run/runs.h"
#include "streamd/signin/sign_ins.h"
#include "streamd/streamd.h"

int streamd_status(struct call *call, const struct streamd_status_params *, struct streamd_status_result *result)
{
	struct streamd *d = call->daemon;

	result->version = STEAD_VERSION;
	result->up_ms = daemon_up_ms();
	result->streams = (int64_t)sign_ins_count(d->sign_ins);
	result->runs = (int64_t)runs_count(d->runs);
	result->browsers = (int64_t)sign_ins_browsers(d->sign_ins) + result->runs;
	result->viewers = (int64_t)sign_ins_viewers(d->sign_ins);
	result->chromium_trouble = d->chromium_trouble[0] ? d->chromium_trouble : NULL;
	return 0;
}
