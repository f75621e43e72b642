/* Chromium's command line and environment. */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "launcher/handlers.h"

struct command {
	char **argv;
	char **envp;
	char *proxy; /* an argument of argv that the child fills in (child.h) */
};

/*
 * For a browser with that profile directory. google: the site may reach Google's sign-in, so
 * Chromium is left to talk to it by itself too. Memory of the arena.
 */
struct command command_for_browser(struct arena *arena, const struct browser_start_params *params,
	const char *profile, const char *user_agent, bool google);

/* For asking the binary its version. */
struct command command_for_version(struct arena *arena, const char *chromium, const char *profile);

/* Refuses parameters that must not come near a command line: 0 or REFUSED. */
int command_check(struct call *call, const struct browser_start_params *params);

/*
 * Hosts that Chromium itself asks for however it is started. Nobody need be told that they were
 * refused.
 */
bool command_is_chromiums_own(const char *host);
