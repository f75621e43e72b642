#include "authd/authd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <argon2.h>
#include <openssl/rand.h>

#include "authd/dispatch.h"
#include "authd/first_admin.h"
#include "authd/http.h"
#include "common/must.h"
#include "common/origin.h"
#include "proto/route.h"
#include "authd/state.h"
#include "authd/strangers.h"
#include "authd/sweeper.h"
#include "authd/watch.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/worker.h"
#include "db/db.h"
#include "db/service.h"
#include "proto/call.h"
#include "proto/peer.h"
#include "proto/server.h"

#define DRAIN_MS 5000

static int check_origins(const struct words *origins)
{
	char why[512];
	int r = origins_check(origins, why, sizeof(why));

	if (r < 0)
		log_error("%s", why);
	return r;
}

/* payload: a login that ended here or on another host; NULL: notifications begin (again) now. */
static void on_login_ended(const char *payload, void *arg)
{
	struct authd *a = arg;

	if (payload) {
		login_watch_tell(a->watch, payload);
		return;
	}
	log_debug("hears of logins that end on other hosts");
	login_watch_missed(a->watch);
	first_admin_wake(a->first_admin);
}

/* At the settings' cost, so that an unknown name takes as long as a known one. Blocking, once, before anything runs. */
static int hash_nobody(struct authd *a)
{
	uint8_t random[48];

	if (RAND_bytes(random, sizeof(random)) != 1 ||
		argon2id_hash_encoded(a->cost.passes, a->cost.memory_kib, 1, random, 32, random + 32, 16, 32, a->nobody,
			sizeof(a->nobody)) != ARGON2_OK) {
		log_error("cannot hash a password with %u KiB of memory; lower the setting hash_memory_kib",
			a->cost.memory_kib);
		return -ENOMEM;
	}
	return 0;
}

static int listen_all(struct authd *a)
{
	int fd, r = server_listen_named(a->server, "stream", ROLE_STREAM, a->settings->stream_user);

	if (r == 0)
		r = server_listen_named(a->server, "control", ROLE_CONTROL, a->settings->control_user);
	if (r < 0)
		return r;
	fd = daemon_socket("http");
	return fd < 0 ? fd : http_new(a, fd, &a->http);
}

static int start(struct authd *a)
{
	int r;

	a->database = (struct db_service){ .program = "authd",
		.conninfo = a->settings->database,
		.connections = a->settings->database_connections,
		.without = "requests are refused until it does" };
	r = db_open(&a->database, &a->db);

	if (r == 0)
		r = hash_nobody(a);
	if (r == 0)
		r = worker_pool_new((unsigned)a->settings->hash_threads, (size_t)a->settings->hash_queue, &a->workers);
	if (r == 0)
		r = listen_all(a);
	if (r < 0)
		return r;
	a->first_admin = first_admin_new(a);
	a->sweeper = sweeper_new(a);
	a->strangers = strangers_new(a);
	return db_listen(a->db, "authd_login_ended", on_login_ended, a);
}

int authd_new(const struct authd_settings *settings, struct authd **ret)
{
	CLEANUP(authd_freep) struct authd *a = NULL;
	int r = check_origins(&settings->origin);

	if (r < 0)
		return r;
	a = must(calloc(1, sizeof(*a)));
	a->settings = settings;
	a->cost = (struct password_cost){ (uint32_t)settings->hash_memory_kib, (uint32_t)settings->hash_passes };
	a->watch = login_watch_new();
	a->server = server_new("authd", authd_dispatch, a);
	server_on_stranger(a->server, strangers_note);
	a->routes = routes_new(method_lists());
	a->streamd = peer_to("authd", "streamd", "front");
	a->sessiond = peer_to("authd", "sessiond", "front");
	a->botd = peer_to("authd", "botd", "front");
	r = start(a);
	if (r == 0)
		*ret = TAKE(a);
	return r;
}

void authd_drain(struct authd *a)
{
	int64_t deadline = deadline_in(DRAIN_MS);

	first_admin_stop(a->first_admin);
	sweeper_stop(a->sweeper);
	strangers_stop(a->strangers);
	login_watch_missed(a->watch); /* these would never end by themselves */
	http_drain(a->http, deadline);
	server_drain(a->server, deadline);
	a->server = server_free(a->server);
}

struct authd *authd_free(struct authd *a)
{
	if (!a)
		return NULL;
	http_free(a->http);
	server_free(a->server);
	peer_free(a->streamd);
	peer_free(a->sessiond);
	peer_free(a->botd);
	first_admin_free(a->first_admin);
	sweeper_free(a->sweeper);
	a->strangers = strangers_free(a->strangers);
	worker_pool_free(a->workers);
	db_free(a->db);
	routes_free(a->routes);
	login_watch_free(a->watch);
	explicit_bzero(a, sizeof(*a));
	free(a);
	return NULL;
}

void authd_freep(struct authd **a)
{
	*a = authd_free(*a);
}
