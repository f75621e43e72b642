/*
 * botd, the hands: works off bookings in people's stead.
 *
 * Whom it trusts: authd to say truthfully for whom it calls, streamd likewise, both known by the socket they arrive on
 * and their uid; streamd to carry out the steps it is told and to tell what the page showed; sessiond to hand out
 * sessions and to keep what comes back; its recipes, which an administrator put there; its PostgreSQL to keep users
 * apart. It trusts nothing that a site says beyond what a recipe maps to an outcome. What it holds: what people have
 * asked for and what was done for it; no key, no password, and a captured session only as a sealed descriptor that it
 * passes from sessiond to streamd and back without looking inside. What its compromise costs: everything that the
 * sites allow to the sessions of all users, for it may fetch any of them; not the master key, not Stead's own accounts.
 */
#include <stdlib.h>

#include "botd/botd.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "proto/json.h"

static int listen_all(struct botd *b, const struct botd_settings *settings)
{
	int r = botd_listen(b, "front", ROLE_FRONT, settings->front_user);

	if (r == 0)
		r = botd_listen(b, "stream", ROLE_STREAM, settings->stream_user);
	if (r == 0)
		r = botd_listen(b, "control", ROLE_CONTROL, settings->control_user);
	return r;
}

static void reload(void *arg)
{
	botd_load_recipes(arg);
}

static int serve(const struct botd_settings *settings)
{
	CLEANUP(botd_freep) struct botd *b = NULL;
	int r = botd_new(settings, &b);

	if (r == 0)
		r = listen_all(b, settings);
	if (r < 0)
		return r;
	botd_start(b);
	daemon_on_reload(reload, b);
	return daemon_run(botd_stop, b);
}

int main(int argc, char *argv[])
{
	struct botd_settings settings;
	int r;

	json_cleanse();
	r = daemon_init("botd", "The hands: works off bookings.", botd_settings_rows(), &settings, argc, argv);
	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	r = serve(&settings);
	settings_free(botd_settings_rows(), &settings);
	daemon_deinit();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
