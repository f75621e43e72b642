#include "proto/service.h"

#include <stdlib.h>

#include "common/daemon.h"
#include "common/loop.h"
#include "common/words.h"
#include "proto/json.h"

#define MOST_NAME 32

struct run {
	const struct service *service;
	const void *settings;
	void *daemon;
	struct server *server;
};

/* On the socket of the role's name, for the user whom the setting ROLE_user names. */
static int listen_for(const struct run *run, enum role role)
{
	const char *user;
	char setting[MOST_NAME];
	uid_t uid;
	int fd, r;

	exact_must(setting, sizeof(setting), "%s_user", role_word(role));
	user = settings_text(run->service->settings, run->settings, setting);
	r = daemon_uid(setting, user, &uid);
	if (r < 0)
		return r;
	fd = daemon_socket(role_word(role));
	if (fd < 0)
		return fd;
	server_listen(run->server, fd, role, uid);
	return 0;
}

static int listen_all(const struct run *run)
{
	int r = 0;

	for (unsigned role = 1; role <= run->service->roles && r == 0; role <<= 1)
		if (run->service->roles & role)
			r = listen_for(run, (enum role)role);
	return r;
}

static void service_reload(void *arg)
{
	const struct run *run = arg;

	run->service->reload(run->daemon);
}

static void service_stop(void *arg)
{
	const struct run *run = arg;
	const struct service *s = run->service;

	if (s->stop)
		s->stop(run->daemon);
	server_drain(run->server, deadline_in(s->drain_ms));
	if (s->stopped)
		s->stopped(run->daemon);
}

static int service_serve(struct run *run)
{
	const struct service *s = run->service;
	int r;

	run->server = server_new(s->name, s->rows, run->daemon);
	server_on_act(run->server, s->on_act);
	r = s->open(run->daemon, run->server);
	if (r == 0)
		r = listen_all(run);
	if (r == 0 && s->start)
		r = s->start(run->daemon);
	if (r == 0)
		daemon_run(service_stop, s->reload ? service_reload : NULL, run);
	server_free(run->server);
	s->close(run->daemon);
	return r;
}

int service_main(const struct service *s, void *settings, void *daemon, int argc, char *argv[])
{
	struct run run = { s, settings, daemon, NULL };
	int r;

	json_cleanse();
	r = daemon_init(s->name, s->sentence, s->settings, settings, argc, argv);
	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	r = service_serve(&run);
	settings_free(s->settings, settings);
	daemon_deinit();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
