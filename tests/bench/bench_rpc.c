/*
 * What an RPC costs beside the least that any two processes can pay: our round trip (fibers, a real socket, checks on
 * both ends, one text there and back) and a blocking ping-pong of the same payload over a socketpair. Both are measured
 * in turns of one run, so that whatever else the machine does meets both alike; once with both processes on one core and
 * once on two, because to wake another core costs more than everything else, and where the scheduler puts a pair is luck.
 *
 *	bench_rpc [ROUNDS]      rounds of 50 calls each per size, default 200
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "proto/json.h"
#include "proto/peer.h"
#include "proto/server.h"

#define DEF "tests/bench/echo.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

#define CALLS_A_ROUND 50

static const size_t sizes[] = { 100, 64 * 1024 };

struct samples {
	double *us;
	size_t count;
};

struct bench {
	struct peer *peer;
	int pong;
	size_t rounds;
	pid_t server, ponger;
};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int echo(struct call *call, const void *params, void *result)
{
	(void)call;
	((struct echo_result *)result)->text = ((const struct echo_params *)params)->text;
	return 0;
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void serve(int fd)
{
	static const struct dispatch_row rows[] = { { &method_echo, echo }, { 0 } };
	struct server *server = server_new("bench", rows, NULL);

	server_adopt(server, fd, ROLE_FRONT, geteuid(), stop, NULL);
	loop_run();
	server_free(server);
}

static void all(ssize_t (*fn)(int, void *, size_t), int fd, char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = fn(fd, p, n);
		if (done <= 0)
			_exit(EXIT_SUCCESS);
		p += done;
		n -= (size_t)done;
	}
}

static ssize_t write_some(int fd, void *p, size_t n)
{
	return write(fd, p, n);
}

static void ping(int fd, char *p, size_t n)
{
	all(write_some, fd, p, n);
	all(read, fd, p, n);
}

/* Told each size by a first message of its own. */
static void pong(int fd)
{
	static char buffer[64 * 1024];
	size_t size, count;

	for (;;) {
		all(read, fd, (char *)&size, sizeof(size));
		all(read, fd, (char *)&count, sizeof(count));
		while (count--) {
			all(read, fd, buffer, size);
			all(write_some, fd, buffer, size);
		}
	}
}

static pid_t start(void (*fn)(int fd), int *ret)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		die("socketpair");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		json_cleanse();
		if (loop_init() < 0)
			die("loop");
		fn(ends[1]);
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	*ret = ends[0];
	return pid;
}

static void add(struct samples *s, double us)
{
	s->us[s->count++] = us;
}

static void ping_round(struct bench *b, char *payload, size_t size, struct samples *s)
{
	size_t count = CALLS_A_ROUND;

	all(write_some, b->pong, (char *)&size, sizeof(size));
	all(write_some, b->pong, (char *)&count, sizeof(count));
	for (size_t i = 0; i < CALLS_A_ROUND; i++) {
		double began = now_us();
		ping(b->pong, payload, size);
		add(s, now_us() - began);
	}
}

static void rpc_round(struct bench *b, const char *payload, size_t size, struct samples *s)
{
	for (size_t i = 0; i < CALLS_A_ROUND; i++) {
		double began = now_us();
		struct call *call = call_new(NULL, NULL, deadline_in(10000));
		struct echo_params p = { .text = payload };
		struct echo_result r;
		if (call_echo(call, b->peer, &p, &r) != 0 || strlen(r.text) != size)
			die("the call failed");
		call_free(call);
		add(s, now_us() - began);
	}
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static double at(struct samples *s, double quantile)
{
	qsort(s->us, s->count, sizeof(*s->us), by_value);
	return s->us[(size_t)((double)(s->count - 1) * quantile)];
}

/* Who asks is on the first core. */
static void settle_on(pid_t pid, int core)
{
	cpu_set_t cores;

	CPU_ZERO(&cores);
	CPU_SET(core, &cores);
	if (sched_setaffinity(pid, sizeof(cores), &cores) != 0)
		die("sched_setaffinity");
}

static void measure(struct bench *b, const char *where, size_t size)
{
	size_t n = b->rounds * CALLS_A_ROUND;
	struct samples plain = { calloc(n, sizeof(double)), 0 }, rpc = { calloc(n, sizeof(double)), 0 };
	char *payload = malloc(size + 1);

	memset(payload, 'x', size);
	payload[size] = '\0';
	for (size_t i = 0; i < b->rounds; i++) {
		ping_round(b, payload, size, &plain);
		rpc_round(b, payload, size, &rpc);
	}
	printf("%-9s  %6zu B  %6zu each  %9.1f %9.1f  %9.1f %9.1f  %6.2f %6.2f\n", where, size, n, at(&plain, 0.5), at(&plain, 0.95),
		at(&rpc, 0.5), at(&rpc, 0.95), at(&rpc, 0.5) / at(&plain, 0.5), at(&rpc, 0.95) / at(&plain, 0.95));
	free(payload);
	free(plain.us);
	free(rpc.us);
}

static void run(void *arg)
{
	struct bench *b = arg;

	printf("both on     payload   samples      ping-pong, us        RPC, us              RPC / ping-pong\n"
	       "                                     median       p95     median       p95  median    p95\n");
	settle_on(0, 0);
	for (int core = 0; core < 2; core++) {
		settle_on(b->server, core);
		settle_on(b->ponger, core);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
			measure(b, core ? "two cores" : "one core", sizes[i]);
	}
	loop_stop();
}

int main(int argc, char *argv[])
{
	struct bench b = { .rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200 };
	int fd;

	b.server = start(serve, &fd);
	b.ponger = start(pong, &b.pong);
	json_cleanse();
	if (loop_init() < 0)
		die("loop");
	b.peer = peer_adopt("bench", "bench", fd);
	fiber_start("bench", run, &b, NULL);
	loop_run();
	peer_free(b.peer);
	close(b.pong);
	waitpid(b.server, NULL, 0);
	waitpid(b.ponger, NULL, 0);
	fiber_drop_stacks();
	loop_deinit();
	return EXIT_SUCCESS;
}
