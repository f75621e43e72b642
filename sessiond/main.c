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
#include "proto/service.h"
#include "sessiond/audit.h"
#include "sessiond/dispatch.h"
#include "sessiond/sessiond.h"

int main(int argc, char *argv[])
{
	static struct sessiond_settings settings;
	static struct sessiond s = { .settings = &settings };
	const struct service service = { .name = "sessiond",
		.sentence = "The vault: keeps sessions, encrypted.",
		.settings = sessiond_settings_rows(),
		.rows = sessiond_dispatch,
		.roles = ROLE_FRONT | ROLE_STREAM | ROLE_BOT | ROLE_CONTROL,
		.drain_ms = 4000,
		.on_act = sessiond_audit_act,
		.open = sessiond_open,
		.stop = sessiond_stop,
		.close = sessiond_close };

	return service_main(&service, &settings, &s, argc, argv);
}
