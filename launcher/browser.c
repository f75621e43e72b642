#include "launcher/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "launcher/app_links.h"
#include "launcher/child.h"
#include "launcher/command.h"
#include "launcher/egress.h"
#include "launcher/family.h"
#include "launcher/handlers.h"
#include "launcher/last_words.h"
#include "launcher/launcher.h"
#include "launcher/lines.h"
#include "launcher/notices.h"
#include "launcher/oom.h"
#include "launcher/profile.h"
#include "launcher/room.h"
#include "launcher/useragent.h"

/* A browser that lives this long has started, even if it makes no lock. */
#define FIRST_SECOND_MS 1000

/*
 * Chromium makes it in the profile when its sandbox stands and its libraries are there, halfway to
 * its first answer.
 */
#define SIGN_OF_LIFE    "SingletonLock"

enum browser_state { BROWSER_STARTING, BROWSER_RUNNING, BROWSER_ENDED };

struct browser {
	enum browser_state state;
	struct launcher *launcher;
	struct profile *profile;
	struct last_words *words;
	struct egress *egress;
	struct lines *app_links;
	int cdp;   /* of streamd's end of the debugging socket, or -1 */
	pid_t pid; /* 0: not yet */
	bool gone; /* reaped; then status is waitpid()'s */
	int status;
	int64_t oom_kills; /* before it started */
	struct latch first_second;
};

void browser_reaped(pid_t pid, int status, void *arg)
{
	struct browser *b = arg;

	if (!b || b->gone || pid != b->pid)
		return;
	b->gone = true;
	b->status = status;
	latch_wake(&b->first_second, 0);
}

/* How it ended by itself, for a person. */
static const char *end_words(const struct browser *b)
{
	if (!WIFSIGNALED(b->status))
		return "The browser ended by itself.";
	if (WTERMSIG(b->status) == SIGKILL && oom_kills() > b->oom_kills)
		return "The browser ran out of memory, so the server ended it.";
	return WTERMSIG(b->status) == SIGKILL || WTERMSIG(b->status) == SIGTERM ? "The browser was ended on the server." :
										  "The browser has crashed.";
}

/* And for the log. */
static void describe_end(struct browser *b, char *text, size_t size)
{
	const char *words = last_words_line(b->words);

	if (WIFSIGNALED(b->status) && WTERMSIG(b->status) == SIGKILL && oom_kills() > b->oom_kills)
		words_set(text, size, "The browser ran out of memory and was ended by the kernel");
	else if (WIFSIGNALED(b->status))
		words_set(text, size, "The browser was killed by signal %d (%s)",
			WTERMSIG(b->status), strsignal(WTERMSIG(b->status)));
	else
		words_set(text, size, "The browser exited with status %d", WEXITSTATUS(b->status));
	if (words && !(WIFSIGNALED(b->status) && WTERMSIG(b->status) == SIGKILL))
		words_add(text, size, "; the last it said was: %s", words);
	else
		words_add(text, size, ".");
}

/* Everything that belongs to it goes: processes, network, profile. */
static void take_all_back(struct browser *b)
{
	family_kill(b->pid, browser_reaped, b);
	closep(&b->cdp);
	b->egress = egress_free(b->egress);
	b->app_links = lines_free(b->app_links);
	b->words = last_words_free(b->words);
	b->profile = profile_free(b->profile);
}

/* How is what the watchers are told. */
static void take_down(struct browser *b, const char *how)
{
	b->state = BROWSER_ENDED;
	take_all_back(b);
	notices_end(b->launcher->notices, how);
}

void browser_settle(struct browser *b)
{
	char how[NOTICES_ENDED];

	if (!b || !b->gone || b->state != BROWSER_RUNNING)
		return;
	describe_end(b, how, sizeof(how));
	log_info("%s", how);
	take_down(b, end_words(b));
}

struct egress *browser_egress(struct browser *b)
{
	return b && b->state == BROWSER_RUNNING ? b->egress : NULL;
}

struct browser *browser_free(struct browser *b)
{
	if (b && b->state != BROWSER_ENDED)
		take_down(b, "The browser was ended with its launcher.");
	free(b);
	return NULL;
}

static int make_rule(
	struct call *call, const struct browser_start_params *p, struct egress_rule **ret)
{
	const char *field = NULL;
	char why[EGRESS_WHY];
	int r = egress_rule_new(
		(struct egress_words){ (const char *const *)p->hosts, p->hosts_count },
		(struct egress_words){
			(const char *const *)p->private_addresses, p->private_addresses_count},
		(struct egress_words){ (const char *const *)p->pins, p->pins_count }, ret, &field,
		why);

	return r < 0 ? call_refuse(call, ERR_invalid, field, "%s", why) : 0;
}

static int check_socket(struct call *call, int fd)
{
	int type = 0, flags = fcntl(fd, F_GETFL);
	socklen_t n = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) != 0 || type != SOCK_STREAM)
		return call_refuse(call, ERR_invalid, "cdp",
			"The debugging socket must be one end of a stream socketpair.");
	if (fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) /* Chromium takes EAGAIN for the end */
		return -errno;
	return 0;
}

static int browser_check(struct call *call, const struct browser_start_params *p)
{
	const struct launcher *l = call->daemon;

	if (l->browser)
		return call_refuse(call, ERR_conflict, NULL,
			"This launcher has had its browser; open a connection to another one for "
			"another browser.");
	if (geteuid() == 0) {
		call_refuse(call, ERR_unavailable, NULL, NO_BROWSER);
		return call_detail(call,
			"Chromium has no sandbox when it runs as root, so it is not started; run "
			"stead-launcher as a user of its own.");
	}
	int r = command_check(call, p);
	return r < 0 ? r : check_socket(call, p->cdp);
}

static int make_profile(struct call *call, struct browser *b, bool http_auth)
{
	const char *root = b->launcher->profile_root;
	char why[PATH_MAX + 100];
	int r;

	if (room_check(root, ROOM_LEAST_KIB, why, sizeof(why)) < 0) {
		call_refuse(call, ERR_unavailable, NULL, "There is no room for another browser on the server; its administrator can make some.");
		return call_detail(call, "%s", why);
	}
	r = profile_new(root, http_auth, &b->profile);
	if (r == 0 || r == -ECANCELED)
		return r;
	call_refuse(call, ERR_unavailable, NULL, NO_BROWSER);
	if (r == -ENAMETOOLONG)
		return call_detail(call,
			"The directory for profiles, %s, has too long a path for a browser's "
			"socket below it; choose a shorter one.",
			root);
	return call_detail(call,
		"No profile could be made below %s: %s. Make room there, or give the launcher "
		"another directory.",
		root, strerror(-r));
}

/* True when the site's own hosts include Google's sign-in. */
static bool reaches_google(const struct egress_rule *rule)
{
	static const char host[] = "accounts.google.com";
	struct egress_target target;
	char why[EGRESS_WHY];

	return egress_rule_host(rule, host, sizeof(host) - 1, 443, &target, why) == 0;
}

/* From here on there may be processes. */
static int launch(struct call *call, struct browser *b, const struct browser_start_params *p,
	struct egress_rule **rule, const char *user_agent)
{
	CLEANUP(closep) int error_pipe = -1;
	struct command command = command_for_browser(
		call->arena, p, profile_path(b->profile), user_agent, reaches_google(*rule));
	int listener, r = last_words_new(&b->words, &error_pipe);

	if (r < 0)
		return r;
	b->oom_kills = oom_kills();
	struct child_plan plan = { .argv = command.argv,
		.envp = command.envp,
		.proxy = command.proxy,
		.cdp = p->cdp,
		.error_pipe = error_pipe};
	r = child_start(call, &plan, &b->pid, &listener);
	if (r < 0)
		return r;
	b->egress = egress_new(listener, TAKE(*rule), !p->egress_cut, b->launcher->notices);
	return 0;
}

struct life {
	struct latch *seen;
	char path[PATH_MAX];
};

static void on_profile_changed(evutil_socket_t fd, short, void *arg)
{
	struct life *life = arg;
	char events[4096];
	struct stat st;

	while (read(fd, events, sizeof(events)) > 0)
		;
	if (lstat(life->path, &st) == 0)
		latch_wake(life->seen, 0);
}

/* Until it has shown that it runs, or has ended, or the first second is over: 0, or -ECANCELED. */
static int await_life(struct browser *b)
{
	CLEANUP(closep) int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct life life = { .seen = &b->first_second };
	struct event *event;
	int r;

	if (!exact_set(life.path, sizeof(life.path), "%s/" SIGN_OF_LIFE, profile_path(b->profile)))
		return -ENAMETOOLONG;
	if (notify < 0 ||
		inotify_add_watch(notify, profile_path(b->profile), IN_CREATE | IN_MOVED_TO) < 0)
		return -errno;
	event = loop_watch(notify, EV_READ | EV_PERSIST, on_profile_changed, &life);
	event_active(event, EV_READ, 0); /* it may be there already */
	r = b->gone ? 0 : latch_wait(&b->first_second, deadline_in(FIRST_SECOND_MS));
	event_free(event);
	return r == -ETIMEDOUT ? 0 : r;
}

static int refuse_dead(struct call *call, struct browser *b, const char *chromium)
{
	char how[NOTICES_ENDED];

	describe_end(b, how, sizeof(how));
	call_refuse(call, ERR_unavailable, "chromium", NO_BROWSER);
	return call_detail(call,
		"%s ended as soon as it was started; try it by hand as user %u, and if libraries are missing, install Debian's "
		"package chromium again. %s", chromium, (unsigned)geteuid(), how);
}

static int start(struct call *call, struct browser *b, const struct browser_start_params *p,
	struct egress_rule **rule, const char **ret_user_agent)
{
	const char *user_agent = p->user_agent;
	int r = make_profile(call, b, p->http_auth);

	if (r == 0)
		r = app_links_new(profile_path(b->profile), b->launcher->notices, &b->app_links);
	if (r == 0 && !user_agent)
		r = useragent_of(call, p->chromium, profile_path(b->profile), &user_agent);
	if (r == 0)
		r = launch(call, b, p, rule, user_agent);
	if (r == 0)
		r = await_life(b);
	if (r == 0 && b->gone)
		r = refuse_dead(call, b, p->chromium);
	if (r == 0)
		*ret_user_agent = user_agent;
	return r;
}

/* Undoes a start that failed, so that it can be tried again. */
static void browser_undo(struct browser *b)
{
	b->launcher->browser = NULL;
	take_all_back(b);
	free(b);
}

int browser_start(struct call *call, const struct browser_start_params *params,
	struct browser_start_result *result)
{
	CLEANUP(egress_rule_freep) struct egress_rule *rule = NULL;
	struct launcher *l = call->daemon;
	struct browser *b;
	int r = browser_check(call, params);

	if (r == 0)
		r = make_rule(call, params, &rule);
	if (r < 0)
		return r;
	b = must(calloc(1, sizeof(*b)));
	b->launcher = l;
	b->cdp = -1;
	l->browser = b;
	r = start(call, b, params, &rule, &result->user_agent);
	if (r < 0) {
		browser_undo(b);
		return r;
	}
	b->state = BROWSER_RUNNING;
	result->pid = b->pid;
	return 0;
}

int browser_keep(struct call *call, const struct browser_keep_params *params,
	struct browser_keep_result *)
{
	struct browser *b = ((struct launcher *)call->daemon)->browser;

	if (!b || b->state != BROWSER_RUNNING || b->cdp >= 0)
		return call_refuse(call, ERR_conflict, "cdp", "There is no browser whose socket could be kept.");
	b->cdp = fcntl(params->cdp, F_DUPFD_CLOEXEC, 0);
	return b->cdp < 0 ? -errno : 0;
}

int browser_room(struct call *call, const struct browser_room_params *, struct browser_room_result *result)
{
	const struct launcher *l = call->daemon;
	int64_t kib = room_kib(l->profile_root);

	result->directory = l->profile_root;
	result->free_kib = kib < 0 ? 0 : kib;
	return 0;
}

int browser_end(struct call *call, const struct browser_end_params *,
	struct browser_end_result *)
{
	struct launcher *l = call->daemon;

	if (!l->browser)
		return call_refuse(
			call, ERR_ended, NULL, "This launcher has no browser; start one first.");
	if (l->browser->state == BROWSER_STARTING)
		return call_refuse(call, ERR_conflict, NULL,
			"The browser is being started; wait for that, or close the connection to "
			"end it.");
	if (l->browser->state == BROWSER_RUNNING)
		take_down(l->browser, "The browser was ended on request.");
	return 0;
}
