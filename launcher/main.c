/*
 * stead-launcher: one browser and its way out, for streamd.
 *
 * It trusts streamd, whose uid it checks on its only connection, and nothing that the browser says:
 * not the hosts it asks its proxy for, not what it leaves in its profile. It holds that browser's
 * traffic, which is encrypted but for plain HTTP, and its profile on disk. Compromising a browser
 * inside its sandbox gives a process without capabilities in a network namespace whose only door is
 * this program's proxy; compromising this program besides gives the rights of its user, which under
 * systemd is made for it alone and owns nothing but this profile.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/loop.h"
#include "launcher/app_links.h"
#include "launcher/dispatch.h"
#include "launcher/launcher.h"

struct options {
	int fd;
	const char *client, *profile_root;
	enum log_level level;
};

static const struct option long_options[] = {
	{"fd", required_argument, NULL, 'f'},
	{"client-uid", required_argument, NULL, 'c'},
	{"profile-dir", required_argument, NULL, 'p'},
	{"debug", no_argument, NULL, 'd'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{0},
};

static void main_print_help(void)
{
	printf("Usage: stead-launcher [OPTION]...\n"
	       "Starts one browser for streamd, is its only way to the network, and ends it with "
	       "its connection.\n\n"
	       "  --fd N               serve the connection N; default: the one that systemd hands "
	       "over\n"
	       "  --client-uid USER    who may be at its other end: a name, a number or \"self\" "
	       "(default)\n"
	       "  --profile-dir DIR    make the profile below DIR; default $RUNTIME_DIRECTORY, "
	       "$TMPDIR, /tmp\n"
	       "  --debug              log what the browser says, and every host that is refused\n"
	       "  --help, --version\n");
}

static const char *default_root(void)
{
	const char *root = getenv("RUNTIME_DIRECTORY");

	if (!root)
		root = getenv("TMPDIR");
	return root && *root == '/' ? root : "/tmp";
}

/* 0 to go on, 1 when all that was asked for has been printed, -1 after saying why not. */
static int main_parse_options(struct options *o, int argc, char *argv[])
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (option) {
		case 'f': o->fd = atoi(optarg); break;
		case 'c': o->client = optarg; break;
		case 'p': o->profile_root = optarg; break;
		case 'd': o->level = LOG_DEBUG; break;
		case 'h': main_print_help(); return 1;
		case 'v': printf("stead-launcher %s\n", STEAD_VERSION); return 1;
		default: return -1;
		}
	}
	return 0;
}

/* The connection to serve, or -1 after saying why. */
static int connection(const struct options *o)
{
	int fd = o->fd >= 0 ? o->fd : listen_inherited("connection");
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		return fd;
	log_error("there is no connection to serve: start it through stead-launcher.socket, or "
		  "from streamd with --fd");
	return -1;
}

static void stop_later(void *)
{
	loop_stop();
}

/* Deferred, for a caller with a wrong uid is refused before the loop runs. */
static void on_main_closed(void *arg)
{
	loop_defer(stop_later, arg);
}

static int main_serve(const struct options *o, int fd, uid_t client)
{
	struct launcher *launcher = NULL;
	int r = launcher_new(o->profile_root, &launcher);

	if (r < 0) {
		log_error("cannot become the reaper of the browser's processes: %s", strerror(-r));
		close(fd);
		return r;
	}
	struct server *server = server_new("launcher", launcher_dispatch, launcher);
	server_adopt(server, fd, ROLE_LAUNCHER, client, on_main_closed, NULL);
	daemon_run(NULL, NULL, NULL);
	server_free(server);
	launcher_free(launcher);
	return 0;
}

int main(int argc, char *argv[])
{
	struct options o = {
		.fd = -1, .client = "self", .profile_root = default_root(), .level = LOG_INFO};
	const struct rlimit no_core = {0, 0}; /* what passes through here in the clear would stand in one */
	uid_t client;
	int r, fd;

	if (app_links_asked(argv[0]))
		return app_links_answer(argc, argv);
	r = main_parse_options(&o, argc, argv);
	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	log_open("stead-launcher", o.level);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &no_core);
	umask(077);
	setenv("RES_OPTIONS", "timeout:2 attempts:2",
		0); /* so that a look-up, which nothing can cut short, ends soon */
	fd = connection(&o);
	if (fd < 0 || daemon_uid("--client-uid", o.client, &client) < 0 || loop_init() < 0)
		return EXIT_FAILURE;
	r = main_serve(&o, fd, client);
	daemon_deinit();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
