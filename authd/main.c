/*
 * authd, the door. It trusts nginx (whoever may open the socket http) to name the client's address, streamd and
 * steadctl by the uid behind their sockets, and PostgreSQL; of a browser it believes nothing but what the login cookie
 * proves. It holds hashes: of passwords, of login and device cookies; and the audit, which it can add to but not
 * change. Whoever takes it over can act for anybody who is signed in or signs in from then on, and reads passwords as
 * they are typed; they get at no third-party session, for the vault's key is elsewhere and no method gives out what a
 * session holds, and they cannot erase what the audit says of how they came in.
 */
#include <malloc.h>
#include <stdlib.h>

#include "authd/authd.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "proto/json.h"

static void stop(void *arg)
{
	authd_drain(arg);
}

int main(int argc, char *argv[])
{
	struct authd_settings settings;
	struct authd *a = NULL;
	int r;

	json_cleanse();
	/* Each Argon2 takes megabytes for a moment: always from the kernel, and back to it, never kept in the heap. */
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	r = daemon_init("authd", "Stead's door: accounts, logins, audit, and the HTTP API behind nginx.",
		authd_settings_rows(), &settings, argc, argv);
	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	r = authd_new(&settings, &a);
	if (r == 0)
		r = daemon_run(stop, a);
	authd_free(a);
	settings_free(authd_settings_rows(), &settings);
	daemon_deinit();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
