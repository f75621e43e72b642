/*
 * streamd, the screen: owns every browser. It trusts authd to say whose a login cookie is, and sessiond to keep what it
 * has proved; it trusts no page and no viewer. It holds what the pages in its browsers hold while they run, frames in
 * flight, and captured sessions between capture and save; no key, no password hash, no database. Whoever takes it over sees
 * and drives the sign-ins and runs that are open at that time, and can have sessions stored for their users; what is in the
 * vault stays there, for streamd may store but not fetch.
 */
#include <signal.h>

#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/origin.h"
#include "proto/botd.h"
#include "proto/service.h"
#include "streamd/audit.h"
#include "streamd/dispatch.h"
#include "streamd/edge/edge_routes.h"
#include "streamd/edge/feed.h"
#include "streamd/run/runs.h"
#include "streamd/screen/viewer_route.h"
#include "streamd/signin/sign_in_viewers.h"
#include "streamd/signin/sign_ins.h"
#include "streamd/streamd.h"

/* Without one, every page would be refused, and nobody told why before somebody opens one. */
static int main_check_origins(const struct words *origins)
{
	char why[512];
	int r = origins_check(origins, why, sizeof(why));

	if (r < 0)
		log_error("%s", why);
	return r;
}

static int open_edge(void *daemon)
{
	struct streamd *d = daemon;
	const char *file = daemon_setting_file("origin");
	CLEANUP(freep) char *shared = settings_shared_path(file ? file : "/etc/stead/");
	const struct edge_config config = { .origins = &d->settings.origin, .origins_file = shared };
	static struct viewer_route viewers[] = {
		{ .prefix = "/ws/streams/", .find = sign_in_find_screen, .rows = viewer_dispatch,
			.full = "Too many pages show this sign-in already; close some of them." },
		{ .prefix = "/ws/runs/", .find = runs_find_screen, .rows = viewer_dispatch,
			.full = "Too many pages watch this already; close some of them." },
	};
	struct edge_route rows[3] = { viewer_route_row(&viewers[0]), viewer_route_row(&viewers[1]) };
	int fd, r = main_check_origins(&d->settings.origin);

	if (r < 0)
		return r;
	fd = daemon_socket("http");
	if (fd < 0)
		return fd;
	d->feed = feed_new(&botd_methods, d->botd);
	viewers[0].daemon = viewers[1].daemon = d;
	rows[2] = feed_route(d->feed);
	return edge_routes_new(fd, &config, d->authd, rows, 3, &d->routes);
}

static int open_daemon(void *daemon, struct server *)
{
	struct streamd *d = daemon;

	signal(SIGCHLD, SIG_IGN); /* launchers of our own end by themselves */
	streamd_load_recipes(d);
	d->authd = peer_to("streamd", "authd", "stream");
	d->sessiond = peer_to("streamd", "sessiond", "stream");
	d->botd = peer_to("streamd", "botd", "stream");
	d->sign_ins = sign_ins_new(d);
	d->runs = runs_new(d);
	return 0;
}

static void main_reload(void *daemon)
{
	streamd_load_recipes(daemon);
}

/* Sign-ins end with their reason, browsers with their groups; only then do the sockets go. */
static void main_stop(void *daemon)
{
	struct streamd *d = daemon;

	d->stopping = true;
	sign_ins_end(d->sign_ins);
	d->runs = runs_free(d->runs);
}

static void stopped(void *daemon)
{
	struct streamd *d = daemon;

	d->routes = edge_routes_free(d->routes);
	d->feed = feed_free(d->feed);
	streamd_audit_drain(d);
	d->sign_ins = sign_ins_free(d->sign_ins);
}

static void close_daemon(void *daemon)
{
	struct streamd *d = daemon;

	peer_free(d->authd);
	peer_free(d->sessiond);
	peer_free(d->botd);
	recipe_set_free(d->recipes);
}

int main(int argc, char *argv[])
{
	static struct streamd d;
	const struct service service = { .name = "streamd",
		.sentence = "The screen: owns every browser, shows it to its owner, captures and proves sessions.",
		.settings = streamd_setting_rows(),
		.rows = streamd_dispatch,
		.roles = ROLE_FRONT | ROLE_BOT | ROLE_CONTROL,
		.drain_ms = 3000,
		.on_act = streamd_audit_act,
		.open = open_daemon,
		.start = open_edge,
		.reload = main_reload,
		.stop = main_stop,
		.stopped = stopped,
		.close = close_daemon };

	return service_main(&service, &d.settings, &d, argc, argv);
}
