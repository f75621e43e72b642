/*
 * A page's picture on its way to the viewer: through streamd and nginx beside a bare reader of a browser of its own. Both
 * ends are read by this process, in turns of one run, so that whatever else the machine does meets both alike. Both
 * browsers show tests/bench/page.html, which moves only when it has been pressed on, so that the one whose turn it is not
 * rests.
 *
 *	bench_stream PORT PATH COOKIE STREAMD-PID NGINX-PID CHROMIUM URL KEY SITE-PORT PROFILE [ROUNDS]
 *
 * PATH and COOKIE: of the stream's WebSocket at nginx's PORT. The rest is the bare browser's.
 */
#include <errno.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "tests/bench/bare_browser.h"
#include "tests/bench/cpu.h"
#include "tests/bench/samples.h"
#include "tests/bench/viewer_socket.h"

#define PRESSES   25   /* a turn */
#define RUN_MS    2500 /* as the page runs; see there */
#define REST_MS   400
#define FRAME_MS  1000
#define READY_MS  30000
#define SINGLE    200  /* where the page is pressed, from its left edge, and what follows: one change */
#define BIT       640  /* a bit of change, twenty times a second */
#define FULL      1080 /* everything moves */

enum side { OURS, BARE, SIDES };
enum kind { FEW, ALL, KINDS };

static struct {
	struct viewer_socket viewer;
	struct bare bare;
	enum side turn;
	struct samples *into; /* of whose turn it is */
	double pressed_ms;    /* the picture must be newer */
	struct wait *wait;
	size_t bytes[SIDES][KINDS], *count_bytes;
	struct samples path[SIDES][KINDS], input[SIDES];
	double streamd_ms[KINDS], nginx_ms[KINDS];
	int streamd, nginx;
	size_t rounds;
} bench;

static void take(enum side side, double captured_ms, size_t n)
{
	double now = wall_ms();

	if (side != bench.turn)
		return;
	if (bench.into && captured_ms > bench.pressed_ms) {
		samples_add(bench.into, now - captured_ms);
		*bench.count_bytes += n;
	}
	if (bench.wait && captured_ms > bench.pressed_ms)
		wait_wake(bench.wait, 0);
}

static void on_viewer_frame(struct viewer_socket *v, double captured_ms, size_t n)
{
	(void)v;
	take(OURS, captured_ms, n);
}

static void on_bare_frame(struct bare *b, double captured_ms, const uint8_t *jpeg, size_t n)
{
	(void)b, (void)jpeg;
	take(BARE, captured_ms, n);
}

static void press_ours(const char *type, int x, int buttons)
{
	char text[256];

	snprintf(text, sizeof(text),
		"{\"jsonrpc\":\"2.0\",\"method\":\"mouse_event\",\"params\":{\"type\":\"%s\",\"x\":%d,\"y\":40,"
		"\"button\":\"left\",\"buttons\":%d,\"clicks\":1}}",
		type, x, buttons);
	viewer_send(&bench.viewer, 1, text);
}

static void press_bare(const char *type, int x, int buttons)
{
	cdp_send(bench.bare.cdp, bench.bare.session, "Input.dispatchMouseEvent", CDP_TEXT("type", type), CDP_INT("x", x),
		CDP_INT("y", 40), CDP_TEXT("button", "left"), CDP_INT("buttons", buttons), CDP_INT("clickCount", 1));
}

static void press(int x)
{
	bench.pressed_ms = wall_ms();
	if (bench.turn == OURS)
		press_ours("press", x, 1);
	else
		press_bare("mousePressed", x, 1);
}

static void release(int x)
{
	if (bench.turn == OURS)
		press_ours("release", x, 0);
	else
		press_bare("mouseReleased", x, 0);
}

/* A press until the picture that comes of it, ms; negative if none came. */
static double press_and_see(void)
{
	struct wait w = { 0 };
	double ms;
	int r;

	bench.wait = &w;
	press(SINGLE);
	r = wait_for(&w, deadline_in(FRAME_MS));
	ms = wall_ms() - bench.pressed_ms;
	bench.wait = NULL;
	release(SINGLE);
	return r < 0 ? -1 : ms;
}

/* The page is there once a press shows. */
static void await_page(enum side side)
{
	int64_t until = deadline_in(READY_MS);
	int seen = 0;

	bench.turn = side;
	while (seen < 3 && loop_now() < until) {
		seen = press_and_see() < 0 ? 0 : seen + 1;
		fiber_sleep_until(deadline_in(REST_MS));
	}
	if (seen < 3) {
		fprintf(stderr, "The page of the benchmark did not answer %s.\n",
			side == OURS ? "through streamd" : "in the bare browser");
		exit(EXIT_FAILURE);
	}
}

/* Pauses of uneven length, so that presses fall anywhere between two pictures. */
static void presses(enum side side)
{
	bench.turn = side;
	for (int i = 0; i < PRESSES; i++) {
		double ms = press_and_see();
		if (ms >= 0)
			samples_add(&bench.input[side], ms);
		fiber_sleep_until(deadline_in(60 + i * 7 % 17));
	}
	fiber_sleep_until(deadline_in(REST_MS));
}

static void motion(enum side side, enum kind kind, int x)
{
	double streamd = cpu_ms(bench.streamd, 0), nginx = cpu_ms(bench.nginx, 1);

	bench.turn = side;
	bench.count_bytes = &bench.bytes[side][kind];
	bench.into = &bench.path[side][kind];
	press(x);
	release(x);
	fiber_sleep_until(deadline_in(RUN_MS + REST_MS));
	bench.into = NULL;
	if (side == OURS) {
		bench.streamd_ms[kind] += cpu_ms(bench.streamd, 0) - streamd;
		bench.nginx_ms[kind] += cpu_ms(bench.nginx, 1) - nginx;
	}
}

static void print_motion(const char *what, enum kind kind)
{
	struct samples *ours = &bench.path[OURS][kind], *bare = &bench.path[BARE][kind];
	double s = (double)bench.rounds * RUN_MS / 1e3;

	samples_compare(what, ours, bare);
	printf("    pictures a second %.1f beside %.1f; of %zu beside %zu KB\n", (double)ours->count / s,
		(double)bare->count / s, ours->count ? bench.bytes[OURS][kind] / ours->count / 1000 : 0,
		bare->count ? bench.bytes[BARE][kind] / bare->count / 1000 : 0);
}

static void print_cpu(const char *what, enum kind kind)
{
	size_t n = bench.path[OURS][kind].count;

	if (n)
		printf("%-34s n=%-5zu streamd %.2f ms, nginx %.2f ms a picture that arrived\n", what, n,
			bench.streamd_ms[kind] / (double)n, bench.nginx_ms[kind] / (double)n);
}

static void print_all(void)
{
	printf("%-34s %-7s %7s %7s   %-7s %7s %7s   difference of medians\n", "", "Stead", "median", "p95", "bare", "median",
		"p95");
	print_motion("capture to arrival, bit of change", FEW);
	print_motion("capture to arrival, all in motion", ALL);
	samples_compare("mouse press to new picture", &bench.input[OURS], &bench.input[BARE]);
	printf("\nCPU of the path (utime + stime)\n");
	print_cpu("a bit of change", FEW);
	print_cpu("all in motion", ALL);
}

static void run(void *arg)
{
	(void)arg;
	await_page(OURS);
	await_page(BARE);
	for (size_t i = 0; i < bench.rounds; i++) {
		for (enum side side = 0; side < SIDES; side++)
			motion(side, FEW, BIT);
		for (enum side side = 0; side < SIDES; side++)
			motion(side, ALL, FULL);
		for (enum side side = 0; side < SIDES; side++)
			presses(side);
	}
	print_all();
	loop_stop();
}

int main(int argc, char *argv[])
{
	if (argc < 11 || loop_init() < 0)
		return EXIT_FAILURE;
	bench.streamd = atoi(argv[4]);
	bench.nginx = atoi(argv[5]);
	bench.rounds = argc > 11 ? strtoul(argv[11], NULL, 10) : 6;
	bench.viewer.frame = on_viewer_frame;
	bench.bare.frame = on_bare_frame;
	viewer_open(&bench.viewer, argv[1], argv[2], argv[3]);
	bare_start(&bench.bare, &(struct bare_plan){ .chromium = argv[6], .url = argv[7], .key = argv[8], .port = argv[9],
		.profile = argv[10] });
	fiber_start("bench", run, NULL, NULL);
	loop_run();
	bare_end(&bench.bare);
	viewer_close(&bench.viewer);
	fiber_drop_stacks();
	loop_deinit();
	return EXIT_SUCCESS;
}
