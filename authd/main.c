/*
 * authd, the door. It trusts nginx (whoever may open the socket http) to name the client's address, streamd and
 * steadctl by the uid behind their sockets, and PostgreSQL; of a browser it believes nothing but what the login cookie
 * proves. It holds hashes: of passwords, of login and device cookies; and the audit, which it can add to but not
 * change. Whoever takes it over can act for anybody who is signed in or signs in from then on, and reads passwords as
 * they are typed; they get at no third-party session, for the vault's key is elsewhere and no method gives out what a
 * session holds, and they cannot erase what the audit says of how they came in.
 */
#include <malloc.h>

#include "authd/authd.h"
#include "authd/dispatch.h"
#include "authd/state.h"
#include "proto/service.h"

int main(int argc, char *argv[])
{
	static struct authd_settings settings;
	static struct authd a = { .settings = &settings };
	const struct service service = { .name = "authd",
		.sentence = "Stead's door: accounts, logins, audit, and the HTTP API behind nginx.",
		.settings = authd_settings_rows(),
		.rows = authd_dispatch,
		.roles = ROLE_STREAM | ROLE_CONTROL,
		.drain_ms = 5000,
		.open = authd_open,
		.start = authd_start,
		.stop = authd_stop,
		.close = authd_close };

	/* Each Argon2 takes megabytes for a moment: always from the kernel, and back to it, never kept in the heap. */
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	return service_main(&service, &settings, &a, argc, argv);
}
