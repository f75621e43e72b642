/*
 * The least that anybody can do to see a browser's screen: Chromium with the flags that the launcher gives it, its pipe
 * read by streamd/browser/cdp.c, its frames acknowledged as they come and handed on as they are. No launcher, no namespace, no
 * egress proxy: names lead to a port of this machine by a flag.
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "launcher/child.h"
#include "launcher/command.h"
#include "streamd/browser/cdp.h"

#define BARE_WIDTH   1280
#define BARE_HEIGHT  800
#define BARE_QUALITY 80

struct bare_plan {
	const char *chromium, *url, *key; /* key: hash of the site's certificate's public key */
	const char *profile;              /* an empty directory, removed by whoever made it */
	const char *port;                 /* of this machine, for every name */
};

struct bare {
	struct cdp *cdp;
	pid_t pid;
	char session[48];
	const char *url;
	void (*frame)(struct bare *b, double captured_ms, const uint8_t *jpeg, size_t n);
	void (*loaded)(struct bare *b);
};

static inline void bare_die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* The launcher's arguments, and one more before the address. */
static inline char **bare_arguments(struct arena *arena, const struct bare_plan *plan, char ***ret_environment)
{
	const char *keys[] = { plan->key };
	struct browser_start_params p = { .chromium = plan->chromium, .trusted_keys = keys, .trusted_keys_count = 1,
		.width = BARE_WIDTH, .height = BARE_HEIGHT, .languages = "en-US", .time_zone = "UTC" };
	struct command command = command_for_browser(arena, &p, plan->profile, "Mozilla/5.0 (X11; Linux x86_64)", false);
	char **argv;
	size_t n = 0;

	snprintf(command.proxy, CHILD_PROXY, "--proxy-server=direct://");
	while (command.argv[n])
		n++;
	argv = arena_array(arena, n + 2, sizeof(*argv));
	memcpy(argv, command.argv, n * sizeof(*argv));
	argv[n] = argv[n - 1];
	argv[n - 1] = arena_printf(arena, "--host-resolver-rules=MAP * 127.0.0.1:%s", plan->port);
	*ret_environment = command.envp;
	return argv;
}

static inline void bare_exec(char **argv, char **environment, int cdp)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	cdp = fcntl(cdp, F_DUPFD, 10);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	dup2(cdp, 3);
	dup2(cdp, 4);
	close_range(5, ~0U, 0);
	execve(argv[0], argv, environment);
	_exit(127);
}

/*
 * Waits for one answer before it goes to the address, as streamd does: the browser is still opening its first, blank
 * page, and would drop another address without a word.
 */
static inline void bare_begin_page(void *arg)
{
	struct bare *b = arg;

	cdp_send(b->cdp, b->session, "Emulation.setDeviceMetricsOverride", CDP_INT("width", BARE_WIDTH),
		CDP_INT("height", BARE_HEIGHT), CDP_INT("deviceScaleFactor", 1), CDP_BOOL("mobile", false),
		CDP_INT("screenWidth", BARE_WIDTH), CDP_INT("screenHeight", BARE_HEIGHT));
	cdp_send(b->cdp, b->session, "Page.startScreencast", CDP_TEXT("format", "jpeg"),
		CDP_INT("quality", BARE_QUALITY));
	cdp_send(b->cdp, b->session, "Runtime.runIfWaitingForDebugger");
	if (cdp_call(b->cdp, b->session, "Page.enable", deadline_in(10000), NULL) == 0)
		cdp_send(b->cdp, b->session, "Page.navigate", CDP_TEXT("url", b->url));
}

static inline void bare_on_frame(struct bare *b, const struct cbor *params)
{
	size_t n = 0;
	const uint8_t *jpeg = cbor_bytes(cbor_get(params, "data"), &n);

	cdp_send(b->cdp, b->session, "Page.screencastFrameAck", CDP_INT("sessionId", cbor_get_int(params, "sessionId", 0)));
	b->frame(b, 1e3 * cbor_get_double(cbor_get(params, "metadata"), "timestamp", 0), jpeg, n);
}

static inline void bare_on_attached(struct bare *b, const struct cbor *params)
{
	struct arena *arena = arena_new(0);

	if (!b->session[0] && cbor_text_is(cbor_get(cbor_get(params, "targetInfo"), "type"), "page")) {
		snprintf(b->session, sizeof(b->session), "%s", cbor_get_utf8(arena, params, "sessionId"));
		fiber_start("bare page", bare_begin_page, b, NULL);
	}
	arena_free(arena);
}

static inline void bare_on_event(struct cdp *c, void *owner, const char *session, const char *method, const struct cbor *params)
{
	struct bare *b = owner;

	(void)c, (void)session;
	if (strcmp(method, "Page.screencastFrame") == 0)
		bare_on_frame(b, params);
	else if (strcmp(method, "Target.attachedToTarget") == 0)
		bare_on_attached(b, params);
	else if (strcmp(method, "Page.loadEventFired") == 0 && b->loaded)
		b->loaded(b);
}

static inline void bare_on_closed(struct cdp *c, void *owner, const char *why)
{
	(void)c, (void)owner;
	fprintf(stderr, "The bare browser has ended by itself. %s\n", why ? why : "");
	exit(EXIT_FAILURE);
}

/* frame and loaded are set before. The loop must be there. */
static inline void bare_start(struct bare *b, const struct bare_plan *plan)
{
	static const struct cdp_events events = { .event = bare_on_event, .closed = bare_on_closed };
	struct arena *arena = arena_new(0);
	char **environment, **argv = bare_arguments(arena, plan, &environment);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		bare_die("socketpair");
	b->url = plan->url;
	b->pid = fork();
	if (b->pid < 0)
		bare_die("fork");
	if (b->pid == 0)
		bare_exec(argv, environment, ends[1]);
	close(ends[1]);
	arena_free(arena);
	b->cdp = cdp_new(ends[0], &events, b);
	cdp_send(b->cdp, "", "Target.setAutoAttach", CDP_BOOL("autoAttach", true), CDP_BOOL("waitForDebuggerOnStart", true),
		CDP_BOOL("flatten", true),
		CDP_LIST("filter", CDP_MAP(NULL, CDP_TEXT("type", "page")), CDP_MAP(NULL, CDP_TEXT("type", "iframe"))));
}

static inline void bare_end(struct bare *b)
{
	b->cdp = cdp_free(b->cdp);
	kill(-b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
}
