/*
 * How soon a bare browser shows a page: starts one, goes to the address and keeps every picture until the page has been
 * loaded and nothing has changed for a while. Prints "MS FILE" per picture, MS since just before the start; whoever
 * called decides which of them shows the page.
 *
 *	bench_start CHROMIUM URL KEY PORT DIRECTORY		DIRECTORY/profile must be there, empty
 */
#include <event2/event.h>

#include "common/loop.h"
#include "tests/bench/bare_browser.h"
#include "tests/bench/samples.h"

#define QUIET_MS 700
#define MOST_MS  20000

static const char *directory;
static double began;
static unsigned count;
static bool loaded;
static struct event *quiet;

static void rearm(long ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(quiet, &tv);
}

static void on_frame(struct bare *b, double captured_ms, const uint8_t *jpeg, size_t n)
{
	double ms = wall_ms() - began;
	char path[512];
	FILE *f;

	(void)b, (void)captured_ms;
	snprintf(path, sizeof(path), "%s/%u.jpg", directory, ++count);
	f = fopen(path, "w");
	if (!f || fwrite(jpeg, 1, n, f) != n || fclose(f) != 0)
		bare_die(path);
	printf("%.1f %s\n", ms, path);
	if (loaded)
		rearm(QUIET_MS);
}

static void on_loaded(struct bare *b)
{
	(void)b;
	loaded = true;
	rearm(QUIET_MS);
}

static void on_quiet(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	loop_stop();
}

int main(int argc, char *argv[])
{
	struct bare b = { .frame = on_frame, .loaded = on_loaded };
	char profile[512];

	if (argc != 6 || loop_init() < 0)
		return EXIT_FAILURE;
	directory = argv[5];
	snprintf(profile, sizeof(profile), "%s/profile", directory);
	quiet = event_new(loop_base(), -1, 0, on_quiet, NULL);
	rearm(MOST_MS);
	began = wall_ms();
	bare_start(&b, &(struct bare_plan){ .chromium = argv[1], .url = argv[2], .key = argv[3], .port = argv[4],
		.profile = profile });
	loop_run();
	if (!loaded)
		fprintf(stderr, "%s was not loaded within %d s; %s, %u pictures came.\n", argv[2], MOST_MS / 1000,
			b.session[0] ? "there was a page" : "there was no page", count);
	bare_end(&b);
	event_free(quiet);
	fiber_drop_stacks();
	loop_deinit();
	return loaded ? EXIT_SUCCESS : EXIT_FAILURE;
}
