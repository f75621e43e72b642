#include "authd/authd.h"

#include <errno.h>
#include <string.h>

#include <argon2.h>
#include <openssl/rand.h>

#include "authd/first_admin.h"
#include "authd/http.h"
#include "authd/login.h"
#include "common/origin.h"
#include "authd/state.h"
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

/* payload: a login that ended here or on another host; NULL: notifications begin (again) now. */
static void on_authd_login_ended(const char *payload, void *arg)
{
	struct authd *a = arg;

	if (payload) {
		login_watch_tell(&a->watch, payload);
		return;
	}
	log_debug("hears of logins that end on other hosts");
	login_watch_missed(&a->watch);
	latch_wake(&a->database_back, 0);
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

static int authd_open_database(struct authd *a)
{
	a->database = (struct db_service){ .program = "authd",
		.conninfo = a->settings->database,
		.connections = a->settings->database_connections,
		.without = "requests are refused until it does" };
	return db_open(&a->database, &a->db);
}

int authd_open(void *daemon, struct server *server)
{
	static const char *const daemons[PEERS] = { "streamd", "sessiond", "botd" };
	struct authd *a = daemon;
	char why[512];
	int r = origins_check(&a->settings->origin, why, sizeof(why));

	if (r < 0) {
		log_error("%s", why);
		return r;
	}
	a->server = server;
	a->cost = (struct password_cost){ (uint32_t)a->settings->hash_memory_kib, (uint32_t)a->settings->hash_passes };
	a->watch.ended = hub_new(0, LOGIN_WATCH_MOST);
	for (size_t i = 0; i < PEERS; i++)
		a->peers[i] = peer_to("authd", daemons[i], "front");
	server_on_stranger(server, strangers_note);
	r = authd_open_database(a);
	if (r == 0)
		r = hash_nobody(a);
	return r == 0 ? worker_pool_new((unsigned)a->settings->hash_threads, (size_t)a->settings->hash_queue, &a->workers) : r;
}

int authd_start(void *daemon)
{
	struct authd *a = daemon;
	int fd = daemon_socket("http"), r = fd < 0 ? fd : http_new(a, fd, &a->http);

	if (r < 0)
		return r;
	fiber_start("first administrator", first_admin_run, a, &a->first_admin);
	fiber_start("sweeper", login_sweep, a, &a->sweeper);
	fiber_start("strangers", strangers_write, a, &a->writer);
	return db_listen(a->db, "authd_login_ended", on_authd_login_ended, a);
}

void authd_stop(void *daemon)
{
	struct authd *a = daemon;
	struct fiber **const fibers[] = { &a->first_admin, &a->sweeper, &a->writer };

	for (size_t i = 0; i < sizeof(fibers) / sizeof(*fibers); i++) {
		fiber_cancel(*fibers[i]);
		fiber_join(fibers[i]);
	}
	login_watch_missed(&a->watch); /* these would never end by themselves */
	http_drain(a->http, deadline_in(DRAIN_MS));
}

void authd_close(void *daemon)
{
	struct authd *a = daemon;

	http_free(a->http);
	for (size_t i = 0; i < PEERS; i++)
		peer_free(a->peers[i]);
	worker_pool_free(a->workers);
	db_free(a->db);
	hub_free(a->watch.ended);
	explicit_bzero(a, sizeof(*a));
}
