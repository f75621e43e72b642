/*
 * botd, the hands: works off bookings in people's stead.
 *
 * Whom it trusts: authd to say truthfully for whom it calls, streamd likewise, both known by the socket they arrive on
 * and their uid; streamd to carry out the steps it is told and to tell what the page showed; sessiond to hand out
 * sessions and to keep what comes back; its recipes, which an administrator put there; its PostgreSQL to keep users
 * apart. It trusts nothing that a site says beyond what a recipe maps to an outcome. What it holds: what people have
 * asked for and what was done for it; no key, no password, and a captured session only as a sealed descriptor that it
 * passes from sessiond to streamd and back without looking inside, but for the cookies of one with which it asks a site
 * over HTTP, while it does. What its compromise costs: everything that the sites allow to the sessions of all users, for
 * it may fetch any of them; not the master key, not Stead's own accounts.
 */
#include "botd/audit.h"
#include "botd/botd.h"
#include "botd/dispatch.h"
#include "botd/site.h"
#include "botd/state.h"
#include "proto/service.h"

int main(int argc, char *argv[])
{
	static struct botd_settings settings;
	static struct botd b = { .settings = &settings };
	const struct service service = { .name = "botd",
		.sentence = "The hands: works off bookings.",
		.settings = botd_settings_rows(),
		.rows = botd_dispatch,
		.roles = ROLE_FRONT | ROLE_STREAM | ROLE_CONTROL,
		.drain_ms = 4000,
		.on_act = botd_audit_act,
		.open = botd_open,
		.start = botd_start,
		.reload = botd_load_recipes,
		.stop = botd_stop,
		.close = botd_close };

	return service_main(&service, &settings, &b, argc, argv);
}
