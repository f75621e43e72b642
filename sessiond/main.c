/*
 * sessiond, the vault: the only holder of the master key.
 *
 * Whom it trusts: its PostgreSQL to keep rows and to keep users apart, but not with what is in them
 * (each row is encrypted and bound to its owner, site and version); streamd and botd, known by the
 * socket they arrive on and their uid, to say truthfully for whom they act; authd likewise, which
 * is told only what there is, never what is in it; the service manager for the master key. What it
 * holds: the master keys, for good, and each state in the clear while it is being saved or fetched,
 * in locked memory that no core dump and no debugger of the same user reaches. What its compromise
 * costs: every stored session of every person, on every site; so it parses nothing but frames of
 * three known peers, never looks into a state, and dials nothing but its database.
 */
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/daemon.h"
#include "proto/json.h"
#include "sessiond/sessiond.h"

static int listen_all(struct sessiond *s, const struct sessiond_settings *settings)
{
	int r = sessiond_listen(s, "front", ROLE_FRONT, settings->front_user);

	if (r == 0)
		r = sessiond_listen(s, "stream", ROLE_STREAM, settings->stream_user);
	if (r == 0)
		r = sessiond_listen(s, "bot", ROLE_BOT, settings->bot_user);
	if (r == 0)
		r = sessiond_listen(s, "control", ROLE_CONTROL, settings->control_user);
	return r;
}

static int serve(const struct sessiond_settings *settings)
{
	CLEANUP(sessiond_freep) struct sessiond *s = NULL;
	int r = sessiond_new(settings, &s);

	if (r == 0)
		r = listen_all(s, settings);
	if (r == 0)
		r = daemon_run(sessiond_stop, s);
	return r;
}

int main(int argc, char *argv[])
{
	struct sessiond_settings settings;
	int r;

	json_cleanse();
	r = daemon_init("sessiond", "The vault: keeps sessions, encrypted.",
		sessiond_settings_rows(), &settings, argc, argv);
	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	r = serve(&settings);
	settings_free(sessiond_settings_rows(), &settings);
	daemon_deinit();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
