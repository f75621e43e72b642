#include "launcher/command.h"

#include <stdlib.h>
#include <string.h>

#include "common/setting_forms.h"
#include "launcher/app_links.h"
#include "launcher/child.h"

#define MOST_ARGUMENTS 40

/* The window is this much taller than the page in it, in --headless=new without a display. */
#define WINDOW_FRAME   143

/* A port that Chromium itself never connects to: what is sent there is not sent at all. */
#define NOWHERE        "http://127.0.0.1:9"

/*
 * Never --no-sandbox. The socket speaks CBOR; loopback goes through the proxy like everything; no
 * background service has anything to say here, and QUIC cannot pass a proxy. An on-demand component
 * is fetched even with --disable-component-update, hence the last.
 */
static const char *const always[] = {"--headless=new", "--remote-debugging-pipe=cbor",
	"--no-first-run", "--no-default-browser-check", "--disable-background-networking",
	"--disable-component-update", "--disable-sync",
	"--disable-auto-reload", /* of an error page: whoever opened it knows when to ask again */
	"--disable-http2", /* it sends again what a stream refuses, on the same connection (docs/architecture.md) */
	"--disable-quic", "--disable-gpu",
	"--disable-back-forward-cache", /* a page put aside there answers no call, and nobody says so */
	"--password-store=basic",
	/* The last two are lists of the address bar's, hidden pages in a process of their own: half of what a small page costs. */
	"--disable-features=NetworkTimeServiceQuerying,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
	"--proxy-bypass-list=<-loopback>", "--component-updater=url-source=" NOWHERE "/"};

/* Found by watching a browser that shows about:blank, and those that its documentation names. */
static const char *const chromiums_own[] = {"clients2.google.com", "clients4.google.com",
	"clientservices.googleapis.com", "redirector.gvt1.com", "edgedl.me.gvt1.com",
	"update.googleapis.com", "optimizationguide-pa.googleapis.com",
	"safebrowsing.googleapis.com", "content-autofill.googleapis.com",
	"passwordsleakcheck-pa.googleapis.com", "connectivitycheck.gstatic.com"};

bool command_is_chromiums_own(const char *host)
{
	for (size_t i = 0; i < sizeof(chromiums_own) / sizeof(*chromiums_own); i++)
		if (strcmp(chromiums_own[i], host) == 0)
			return true;
	return false;
}

static char *join(struct arena *arena, const char *const *words, size_t count)
{
	char *all = arena_strdup(arena, "");

	for (size_t i = 0; i < count; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? "," : "", words[i]);
	return all;
}

static char **environment(struct arena *arena, const char *profile, const char *time_zone)
{
	char **envp = arena_array(arena, 8, sizeof(*envp));
	size_t n = 0;

	envp[n++] = arena_printf(arena, "HOME=%s", profile);
	envp[n++] =
		arena_printf(arena, "TMPDIR=%s", profile); /* its leftovers go with the profile */
	envp[n++] = arena_printf(arena, "PATH=%s/" APP_LINKS_BIN ":/usr/bin:/bin", profile);
	envp[n++] = arena_strdup(arena, "LANG=C.UTF-8");
	envp[n++] = arena_strdup(arena, "DBUS_SESSION_BUS_ADDRESS=disabled:");
	if (time_zone)
		envp[n++] = arena_printf(arena, "TZ=%s", time_zone);
	return envp;
}

/* Flags come before the address, which is last. */
static char **arguments(struct arena *arena, const struct browser_start_params *p,
	const char *profile, const char *user_agent, bool google, char *proxy)
{
	char **argv = arena_array(arena, MOST_ARGUMENTS, sizeof(*argv));
	int width = (int)p->width, height = (int)p->height + WINDOW_FRAME;
	size_t n = 0;

	argv[n++] = arena_strdup(arena, p->chromium);
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		argv[n++] = arena_strdup(arena, always[i]);
	argv[n++] = proxy;
	argv[n++] = arena_printf(arena, "--user-data-dir=%s", profile);
	argv[n++] = arena_printf(arena, "--window-size=%d,%d", width, height);
	argv[n++] = arena_printf(arena, "--screen-info={%dx%d colorDepth=%d}",
		p->screen_width ? (int)p->screen_width : width,
		p->screen_height ? (int)p->screen_height : height,
		p->color_depth ? (int)p->color_depth : 24);
	argv[n++] = arena_printf(arena, "--user-agent=%s", user_agent);
	/* Then a refused accounts.google.com is always the page's doing, and worth saying. */
	if (!google)
		argv[n++] = arena_strdup(arena, "--gaia-url=" NOWHERE);
	if (p->languages) {
		argv[n++] = arena_printf(arena, "--accept-lang=%s", p->languages);
		argv[n++] = arena_printf(
			arena, "--lang=%s", (char *)arena_memdup(arena, p->languages, strcspn(p->languages, ",")));
	}
	if (p->trusted_keys_count)
		argv[n++] = arena_printf(arena, "--ignore-certificate-errors-spki-list=%s",
			join(arena, (const char *const *)p->trusted_keys, p->trusted_keys_count));
	argv[n++] = arena_strdup(arena, "about:blank");
	return argv;
}

struct command command_for_browser(struct arena *arena, const struct browser_start_params *params,
	const char *profile, const char *user_agent, bool google)
{
	char *proxy = arena_alloc(arena, CHILD_PROXY);

	return (struct command){
		.argv = arguments(arena, params, profile, user_agent, google, proxy),
		.envp = environment(arena, profile, params->time_zone),
		.proxy = proxy};
}

struct command command_for_version(struct arena *arena, const char *chromium, const char *profile)
{
	char **argv = arena_array(arena, 3, sizeof(*argv));

	argv[0] = arena_strdup(arena, chromium);
	argv[1] = arena_strdup(arena, "--version");
	return (struct command){ .argv = argv, .envp = environment(arena, profile, NULL) };
}

static bool only(const char *text, const char *allowed)
{
	return *text && strspn(text, allowed) == strlen(text);
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

static bool is_zone(const char *zone)
{
	return only(zone, LETTERS DIGITS "_+-/") && *zone != '/';
}

int command_check(struct call *call, const struct browser_start_params *p)
{
	if (*p->chromium != '/')
		return call_refuse(call, ERR_invalid, "chromium",
			"The browser's path must begin with a slash.");
	if (p->time_zone && !is_zone(p->time_zone))
		return call_refuse(call, ERR_invalid, "time_zone",
			"This is not the name of an IANA time zone, such as Europe/Berlin.");
	if (p->languages && !only(p->languages, LETTERS DIGITS "-,"))
		return call_refuse(call, ERR_invalid, "languages",
			"Languages are tags with commas between them, such as de-DE,de,en.");
	for (size_t i = 0; i < p->trusted_keys_count; i++)
		if (key_hash_wrong(p->trusted_keys[i]))
			return call_refuse(call, ERR_invalid, "trusted_keys",
				"A trusted key is the SHA-256 of a public key in base64: 44 "
				"characters, the last of them =.");
	return 0;
}
