/* What one launcher process holds: at most one browser in its life, and what has befallen it. */
#pragma once

/* What a person reads of a browser that cannot be started; why is the refusal's detail (call_detail()). */
#define NO_BROWSER "The browser could not be started on the server; its administrator finds out why."

struct browser;
struct egress;
struct event;
struct notices;

struct launcher {
	const char *profile_root;
	struct notices *notices;
	struct browser *browser; /* NULL until started */
	struct event *child_ended;
};

/* profile_root: where profiles are made, borrowed. Needs the loop. 0 or a negative errno. */
int launcher_new(const char *profile_root, struct launcher **ret);

/*
 * Ends the browser, with all its processes and its profile. No call may be under way. Takes NULL,
 * returns NULL.
 */
struct launcher *launcher_free(struct launcher *l);

/* NULL when there is no browser. */
struct egress *launcher_egress(struct launcher *l);
