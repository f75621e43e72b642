#include "common/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/notify.h"
#include "common/secret.h"
#include "common/setting_forms.h"
#include "common/words.h"

#define MOST_OVERRIDES 64

static const char *program;
static const char *socket_dir = "/run/stead";
static int64_t began;

static struct options {
	const char *config;
	const char *overrides[MOST_OVERRIDES];
	size_t override_count;
	enum log_level level;
} options;

static void daemon_print_help(const char *sentence, const struct setting *rows)
{
	printf("Usage: %s [OPTION]...\n%s\n\n", program, sentence);
	printf("  --config FILE        read settings from FILE, and those that daemons share from " SETTINGS_SHARED_FILE " beside it\n"
	       "  --set NAME=VALUE     override one setting; may be repeated; everybody can read it, so no password\n"
	       "  --socket-dir DIR     make and find sockets below DIR (default /run/stead)\n"
	       "  --log-level WORD     error, warning, notice, info (default) or debug\n"
	       "  --print-settings     print a sample settings file, without what stands in " SETTINGS_SHARED_FILE "\n"
	       "  --help, --version\n\nSettings:\n");
	for (const struct setting *s = rows; s->name; s++)
		printf("  %-20s %s%s\n", s->name, s->sentence, s->shared ? " (In " SETTINGS_SHARED_FILE ".)" : "");
}

static int parse_level(const char *word, enum log_level *ret)
{
	if (log_level_named(word, ret))
		return 0;
	fprintf(stderr, "%s: --log-level takes error, warning, notice, info or debug, not \"%s\"\n", program, word);
	return -EINVAL;
}

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "set", required_argument, NULL, 's' },
	{ "socket-dir", required_argument, NULL, 'd' },
	{ "log-level", required_argument, NULL, 'l' },
	{ "print-settings", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

/* 0, 1 when what was asked for has been printed, or -EINVAL. */
static int daemon_parse_options(struct options *o, const char *sentence, const struct setting *rows, int argc,
	char *argv[])
{
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (option) {
		case 'c': o->config = optarg; break;
		case 'd': socket_dir = optarg; break;
		case 's':
			if (o->override_count == MOST_OVERRIDES) {
				fprintf(stderr, "%s: --set may be given %d times at most; use a file\n", program, MOST_OVERRIDES);
				return -EINVAL;
			}
			o->overrides[o->override_count++] = optarg;
			break;
		case 'l':
			if (parse_level(optarg, &o->level) < 0)
				return -EINVAL;
			break;
		case 'p': settings_print_sample(rows, stdout); return 1;
		case 'h': daemon_print_help(sentence, rows); return 1;
		case 'v': printf("%s %s\n", program, STEAD_VERSION); return 1;
		default: return -EINVAL; /* getopt has said why */
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: does not know what to do with \"%s\"; see --help\n", program, argv[optind]);
		return -EINVAL;
	}
	return 0;
}

int daemon_init(const char *name, const char *sentence, const struct setting *rows, void *settings, int argc,
	char *argv[])
{
	struct options *o = &options;
	char why[512];
	int r;

	*o = (struct options){ .level = LOG_INFO };
	program = name;
	began = loop_now();
	r = daemon_parse_options(o, sentence, rows, argc, argv);
	if (r != 0)
		return r;
	log_open(name, o->level);
	r = settings_load(rows, settings, o->config, o->overrides, o->override_count, why, sizeof(why));
	if (r < 0) {
		log_error("%s", why);
		return r;
	}
	if (*why)
		log_warning("%s", why);
	r = secret_disable_dumps();
	if (r < 0) {
		log_error("cannot turn core dumps off, and secrets would stand in them: %s", strerror(-r));
		return r;
	}
	signal(SIGPIPE, SIG_IGN);
	r = loop_init();
	if (r < 0)
		log_error("cannot make the event loop: %s", strerror(-r));
	return r;
}

const char *daemon_setting_file(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < options.override_count; i++) {
		const char *o = options.overrides[i] + strspn(options.overrides[i], " \t");
		if (strncmp(o, name, n) == 0 && o[n + strspn(o + n, " \t")] == '=')
			return NULL;
	}
	return options.config;
}

char *daemon_socket_path(const char *daemon, const char *name)
{
	return exact_new("%s/%s/%s", socket_dir, daemon, name);
}

int daemon_socket(const char *name)
{
	int fd = listen_inherited(name);

	if (fd >= 0)
		return fd;

	CLEANUP(freep) char *directory = exact_new("%s/%s", socket_dir, program);
	CLEANUP(freep) char *path = daemon_socket_path(program, name);
	fd = listen_at(directory, path);
	if (fd == -EPERM)
		log_error("refusing to listen at %s: the directory or what stands there is not this user's alone; remove it and start again",
			path);
	else if (fd < 0)
		log_error("cannot listen at %s: %s; --socket-dir names a directory in which this user may make sockets", path, strerror(-fd));
	return fd;
}

int daemon_uid(const char *setting, const char *user, uid_t *ret)
{
	const char *wrong = user_uid(user, ret);

	if (!wrong)
		return 0;
	log_error("the setting %s names the user \"%s\", and %s", setting, user, wrong);
	return -ENOENT;
}

int64_t daemon_up_ms(void)
{
	return loop_now() - began;
}

void daemon_status(const char *format, ...)
{
	char text[256] = "STATUS=";
	va_list args;

	va_start(args, format);
	words_set_v(text + 7, sizeof(text) - 7, format, args);
	va_end(args);
	notify_send(text);
}

struct run {
	void (*stop)(void *), (*reload)(void *);
	void *arg;
	bool stopping;
};

static void stop_on_fiber(void *arg)
{
	const struct run *run = arg;

	if (run->stop)
		run->stop(run->arg);
	loop_stop();
}

static void on_signal(evutil_socket_t number, short, void *arg)
{
	struct run *run = arg;

	if (run->stopping) { /* asked twice: whoever asks does not want to wait */
		loop_stop();
		return;
	}
	run->stopping = true;
	log_info("ends on signal %d", (int)number);
	notify_send("STOPPING=1");
	fiber_start("stop", stop_on_fiber, run, NULL);
}

/* sd_notify(3): from RELOADING=1 to READY=1 the service manager calls it reloading. */
static void on_sighup(evutil_socket_t, short, void *arg)
{
	const struct run *run = arg;

	notify_send("RELOADING=1");
	run->reload(run->arg);
	notify_send("READY=1");
}

static void feed_watchdog(evutil_socket_t, short, void *)
{
	notify_send("WATCHDOG=1");
}

void daemon_run(void (*stop)(void *arg), void (*reload)(void *arg), void *arg)
{
	struct run run = { .stop = stop, .reload = reload, .arg = arg };
	struct event *term = loop_watch(SIGTERM, EV_SIGNAL | EV_PERSIST, on_signal, &run);
	struct event *interrupt = loop_watch(SIGINT, EV_SIGNAL | EV_PERSIST, on_signal, &run);
	struct event *hang_up = reload ? loop_watch(SIGHUP, EV_SIGNAL | EV_PERSIST, on_sighup, &run) : NULL;
	struct event *watchdog = loop_event(-1, EV_PERSIST, feed_watchdog, NULL);
	int64_t every_ms = notify_watchdog_ms();

	if (every_ms > 0)
		loop_arm(watchdog, every_ms);
	notify_send("READY=1");
	log_info("ready");
	loop_run();
	event_free(term);
	event_free(interrupt);
	if (hang_up)
		event_free(hang_up);
	event_free(watchdog);
}

void daemon_deinit(void)
{
	fiber_drop_stacks();
	loop_deinit();
}
