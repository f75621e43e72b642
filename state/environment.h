/* What a site sees of the browser that a session belongs to: the same in sign-in, proof and every run. */
#pragma once

/*
 * The screen that a site sees behind the window, all of it to be had (avail...), with one pixel to the CSS pixel: of a
 * session, not of whoever looks at the browser. Width 0: as sessions were made when nobody kept it, the window's.
 */
struct monitor {
	int width, height, color_depth;
};

/* Texts may be NULL. */
struct environment {
	const char *user_agent, *languages, *time_zone, *locale;
	const char *agent; /* how the browser called itself where no user_agent was wanted of it */
	struct monitor screen;
	int width, height; /* of the page as it begins, CSS pixels */
};
