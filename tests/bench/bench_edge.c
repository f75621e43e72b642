/*
 * What the edge adds to a picture: from edge_send_picture() on the loop to the first and the last byte in the hands of
 * a reader on the same machine, beside a thread that sends the same bytes over a bare socket pair. 150 KB, 60 a second.
 *
 *	build/plain/bench/bench_edge [COUNT]
 */
#include "tests/unit/loop_thread.h"
#include "tests/unit/ws_client.h"

#include <sys/resource.h>

#include "common/listen.h"
#include "common/settings.h"
#include "streamd/edge/edge.h"

#define SIZE     150000
#define PERIOD_US 16667

static char directory[64], path[96];
static struct edge *edge;
static uint64_t viewer;
static int pair[2];
static bool bare;
static uint32_t seq;
static double *sent; /* s, by number */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *on_asked(struct edge *e, void *owner, uint64_t id, const struct edge_request *q)
{
	(void)owner, (void)q;
	viewer = id;
	edge_accept(e, id);
	return NULL;
}

static void on_message(void *visitor, char *text, size_t n)
{
	(void)visitor, (void)n;
	edge_picture_acked(edge, viewer, (uint32_t)atoi(text));
}

static void on_closed(void *visitor)
{
	(void)visitor;
}

static const struct edge_events events = { .asked = on_asked, .message = on_message, .closed = on_closed };

static void begin(void)
{
	static char *origin = "https://stead.test";
	static const struct words origins = { .items = &origin, .count = 1 };
	struct edge_config config = { .origins = &origins };

	if (edge_new(listen_at(directory, path), &config, &events, NULL, &edge) < 0)
		abort();
}

static void finish(void)
{
	edge = edge_free(edge);
}

static void send_one(void)
{
	static char bytes[SIZE];
	struct picture_header h = { .seq = ++seq };
	struct picture *p = picture_new(&h, SIZE);

	memset(picture_jpeg(p), 7, SIZE);
	sent[seq] = now_s();
	if (!bare) {
		edge_send_picture(edge, viewer, p);
	} else {
		for (size_t n = 0; n < SIZE;) {
			ssize_t r = send(pair[0], bytes + n, SIZE - n, 0);
			n += r > 0 ? (size_t)r : 0;
		}
	}
	picture_unref(p);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print(const char *what, double *ms, int n)
{
	qsort(ms, (size_t)n, sizeof(*ms), by_size);
	printf("%-28s n=%d  p50 %.3f  p95 %.3f  p99 %.3f  most %.3f ms\n", what, n, ms[n / 2], ms[n * 95 / 100],
		ms[n * 99 / 100], ms[n - 1]);
}

/* Reads one picture; the times of its first and last byte. */
static void read_one(struct ws *w, double *ret_first, double *ret_last)
{
	struct ws_frame f;
	size_t all = 0;
	char buffer[65536];

	if (!bare) {
		if (!ws_fill(w))
			abort();
		*ret_first = now_s();
		if (!ws_receive(w, &f))
			abort();
		*ret_last = now_s();
		free(f.payload);
		return;
	}
	while (all < SIZE) {
		ssize_t r = recv(pair[1], buffer, sizeof(buffer), 0);
		if (all == 0)
			*ret_first = now_s();
		all += r > 0 ? (size_t)r : 0;
	}
	*ret_last = now_s();
}

static void measure(const char *name, struct ws *w, int count)
{
	double *first = calloc((size_t)count, sizeof(double)), *last = calloc((size_t)count, sizeof(double));
	char what[64], ack[16];
	struct rusage before, after;
	double cpu;

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < count; i++) {
		double a, b;
		on_loop(send_one);
		read_one(w, &a, &b);
		first[i] = 1000 * (a - sent[seq]);
		last[i] = 1000 * (b - sent[seq]);
		if (!bare) {
			snprintf(ack, sizeof(ack), "%u", seq);
			ws_send_text(w, ack);
		}
		usleep(PERIOD_US);
	}
	getrusage(RUSAGE_SELF, &after);
	cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e3 +
		(double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e3;
	snprintf(what, sizeof(what), "%s, first byte", name);
	print(what, first, count);
	snprintf(what, sizeof(what), "%s, last byte", name);
	print(what, last, count);
	printf("%-28s %.3f ms a picture, reader included\n", "  CPU", cpu / count);
	free(first);
	free(last);
}

int main(int argc, char *argv[])
{
	int count = argc > 1 ? atoi(argv[1]) : 600;
	struct ws w;

	if (count < 1)
		return EXIT_FAILURE;
	sent = calloc(2 * (size_t)count + 2, sizeof(double));
	strcpy(directory, "/tmp/stead-bench-XXXXXX");
	if (!mkdtemp(directory) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/http", directory);
	loop_thread_start(begin, finish);
	if (ws_open(&w, path, "/ws/x", "https://stead.test", "") != 101)
		return EXIT_FAILURE;
	while (!viewer)
		on_loop(nothing);
	measure("edge", &w, count);
	bare = true;
	measure("bare socket", NULL, count);
	ws_disconnect(&w);
	loop_thread_stop();
	unlink(path);
	rmdir(directory);
	free(sent);
	return EXIT_SUCCESS;
}
