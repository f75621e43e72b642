#include "common/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "common/must.h"

/* One call; lies on the caller's stack. Linked in exactly one list, or in none while a thread runs it. */
struct job {
	void (*fn)(void *arg);
	void *arg;
	bool begun;    /* a thread has it or had it */
	bool finished; /* seen by the loop only */
	struct wait wait;
	TAILQ_ENTRY(job) link;
};

TAILQ_HEAD(jobs, job);

struct worker_pool {
	pthread_mutex_t lock; /* guards waiting, done, calls, ending and every job's begun */
	pthread_cond_t wanted;
	struct jobs waiting, done;
	size_t calls, most;
	bool ending;
	int fd; /* an eventfd: something is done */
	struct event *event;
	unsigned threads;
	pthread_t thread[];
};

static struct job *take_job(struct worker_pool *pool)
{
	struct job *job;

	while (!(job = TAILQ_FIRST(&pool->waiting)) && !pool->ending)
		pthread_cond_wait(&pool->wanted, &pool->lock);
	if (!job)
		return NULL;
	TAILQ_REMOVE(&pool->waiting, job, link);
	job->begun = true;
	return job;
}

static void *worker_work(void *arg)
{
	struct worker_pool *pool = arg;
	struct job *job;

	pthread_mutex_lock(&pool->lock);
	while ((job = take_job(pool))) {
		pthread_mutex_unlock(&pool->lock);
		job->fn(job->arg);
		pthread_mutex_lock(&pool->lock);
		pool->calls--;
		TAILQ_INSERT_TAIL(&pool->done, job, link);
		eventfd_write(pool->fd, 1);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* On the loop: wakes the fibers whose work is done. What is woken runs later, so the job is still there here. */
static void on_done(evutil_socket_t fd, short, void *arg)
{
	struct worker_pool *pool = arg;
	eventfd_t count;
	struct job *job;

	eventfd_read(fd, &count);
	pthread_mutex_lock(&pool->lock);
	while ((job = TAILQ_FIRST(&pool->done))) {
		TAILQ_REMOVE(&pool->done, job, link);
		job->finished = true;
		wait_wake(&job->wait, 0);
	}
	pthread_mutex_unlock(&pool->lock);
}

/* Signals belong to the loop's thread. */
static int start_threads(struct worker_pool *pool, unsigned threads)
{
	sigset_t all, before;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (pool->threads < threads && r == 0) {
		r = pthread_create(&pool->thread[pool->threads], NULL, worker_work, pool);
		if (r == 0)
			pool->threads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int worker_pool_new(unsigned threads, size_t queued, struct worker_pool **ret)
{
	struct worker_pool *pool = must(calloc(1, sizeof(*pool) + threads * sizeof(pthread_t)));
	int r;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->wanted, NULL);
	TAILQ_INIT(&pool->waiting);
	TAILQ_INIT(&pool->done);
	pool->most = queued + threads;
	pool->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = pool->fd < 0 ? -errno : start_threads(pool, threads);
	if (r < 0) {
		worker_pool_free(pool);
		return r;
	}
	pool->event = loop_watch(pool->fd, EV_READ | EV_PERSIST, on_done, pool);
	*ret = pool;
	return 0;
}

struct worker_pool *worker_pool_free(struct worker_pool *pool)
{
	if (!pool)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->wanted);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->threads; i++)
		pthread_join(pool->thread[i], NULL);
	if (pool->event)
		event_free(pool->event);
	if (pool->fd >= 0)
		close(pool->fd);
	pthread_cond_destroy(&pool->wanted);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	return NULL;
}

static int worker_enqueue(struct worker_pool *pool, struct job *job)
{
	int r = -EBUSY;

	pthread_mutex_lock(&pool->lock);
	if (pool->calls < pool->most) {
		TAILQ_INSERT_TAIL(&pool->waiting, job, link);
		pool->calls++;
		pthread_cond_signal(&pool->wanted);
		r = 0;
	}
	pthread_mutex_unlock(&pool->lock);
	return r;
}

/* Takes back a job whose turn has not come. False if a thread has it already. */
static bool withdraw(struct worker_pool *pool, struct job *job)
{
	bool waiting;

	pthread_mutex_lock(&pool->lock);
	waiting = !job->begun;
	if (waiting) {
		TAILQ_REMOVE(&pool->waiting, job, link);
		pool->calls--;
	}
	pthread_mutex_unlock(&pool->lock);
	return waiting;
}

int worker_run(struct worker_pool *pool, void (*fn)(void *arg), void *arg, int64_t deadline)
{
	struct job job = { .fn = fn, .arg = arg };
	int r = fiber_cancelled() ? -ECANCELED : worker_enqueue(pool, &job);

	if (r < 0)
		return r;
	r = wait_for(&job.wait, deadline);
	if (r == 0 || withdraw(pool, &job))
		return r;
	/* A thread has it: the frame has to stay until that is done. */
	fiber_shield();
	if (!job.finished) {
		job.wait = (struct wait){ 0 };
		wait_for(&job.wait, NEVER);
	}
	fiber_unshield();
	return 0;
}
