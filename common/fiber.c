#include "common/fiber.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <ucontext.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/loop.h"
#include "common/must.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(a, b) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

/* gcc says so by the one, clang by the other. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN_LOOKS_ON
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ASAN_LOOKS_ON
#endif

#if defined(ASAN_LOOKS_ON)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE (1024 * 1024) /* redzones make frames several times larger */
#else
#define STACK_SIZE (256 * 1024)
#endif

#define SPARE_STACKS 8

/*
 * swapcontext() asks the kernel for the signal mask each time, which no fiber ever changes, and takes 230 ns for it; these
 * few instructions do the rest of what it does (System V ABI for x86-64, section 3.2.1: rbx, rbp, r12 to r15, the
 * control words of both floating point units). Elsewhere, and where shadow stacks or a sanitizer of threads look on, ucontext
 * serves; ASan is told of each change, and takes less time by it than with swapcontext(), after which it cleans all of a stack.
 */
#if defined(__x86_64__) && !defined(__CET__) && !defined(__SANITIZE_THREAD__)
struct context {
	void *sp;
};

void fiber_swap_stacks(struct context *from, const struct context *to);

__asm__(".pushsection .text\n"
	".globl fiber_swap_stacks\n"
	".hidden fiber_swap_stacks\n"
	".type fiber_swap_stacks, @function\n"
	"fiber_swap_stacks:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	subq $8, %rsp\n"
	"	stmxcsr (%rsp)\n"
	"	fnstcw 4(%rsp)\n"
	"	movq %rsp, (%rdi)\n"
	"	movq (%rsi), %rsp\n"
	"	ldmxcsr (%rsp)\n"
	"	fldcw 4(%rsp)\n"
	"	addq $8, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size fiber_swap_stacks, . - fiber_swap_stacks\n"
	".popsection\n");

#define context_swap fiber_swap_stacks

/* What fiber_swap_stacks() takes off a stack that has never run: it returns into fn, which finds the end of all frames. */
static void context_make(struct context *c, void *bottom, size_t size, void (*fn)(void))
{
	uint64_t *top = (uint64_t *)(void *)((char *)bottom + size);

	*--top = 0;
	*--top = (uint64_t)(uintptr_t)fn;
	for (int i = 0; i < 7; i++)
		*--top = 0;
	__asm__("stmxcsr (%0)\n\tfnstcw 4(%0)" : : "r"(top) : "memory");
	c->sp = top;
}
#else
struct context {
	ucontext_t u;
};

static void context_swap(struct context *from, const struct context *to)
{
	swapcontext(&from->u, &to->u);
}

static void context_make(struct context *c, void *bottom, size_t size, void (*fn)(void))
{
	getcontext(&c->u);
	c->u.uc_stack.ss_sp = bottom;
	c->u.uc_stack.ss_size = size;
	c->u.uc_link = NULL;
	makecontext(&c->u, fn, 0);
}
#endif

struct stack {
	void *map; /* guard page, then STACK_SIZE */
	unsigned valgrind_id;
	SLIST_ENTRY(stack) link;
};

struct fiber {
	struct context context;
	struct stack *stack;
	void (*fn)(void *);
	void *arg;
	void *local;
	const char *name;
	struct wait *wait;   /* what it waits for now */
	struct wait *joiner; /* who waits for its end */
	int shields;
	bool queued, cancelled, ended, detached;
	void *asan_stack; /* ASan's fake stack while it is switched away from */
	STAILQ_ENTRY(fiber) link;
};

static STAILQ_HEAD(, fiber) ready = STAILQ_HEAD_INITIALIZER(ready);
static SLIST_HEAD(, stack) spare = SLIST_HEAD_INITIALIZER(spare);
static unsigned spares;
static bool scheduled; /* a run_ready() is deferred */
static struct fiber *running;
static struct context loop_context;

#if defined(ASAN_LOOKS_ON)
static void *loop_asan_stack;
static const void *loop_stack_bottom;
static size_t loop_stack_size;

#endif

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void *stack_bottom(const struct stack *s)
{
	return (char *)s->map + page_size();
}

static struct stack *stack_new(void)
{
	struct stack *s = SLIST_FIRST(&spare);

	if (s) {
		SLIST_REMOVE_HEAD(&spare, link);
		spares--;
#if defined(ASAN_LOOKS_ON)
		ASAN_UNPOISON_MEMORY_REGION(stack_bottom(s), STACK_SIZE); /* what never returned there last time */
#endif
		return s;
	}
	s = must(calloc(1, sizeof(*s)));
	s->map = mmap(NULL, STACK_SIZE + page_size(), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (s->map == MAP_FAILED || mprotect(s->map, page_size(), PROT_NONE) != 0)
		abort();
	s->valgrind_id =
		VALGRIND_STACK_REGISTER(stack_bottom(s), (char *)stack_bottom(s) + STACK_SIZE);
	return s;
}

static void stack_destroy(struct stack *s)
{
	VALGRIND_STACK_DEREGISTER(s->valgrind_id);
	munmap(s->map, STACK_SIZE + page_size());
	free(s);
}

static void stack_release(struct stack *s)
{
	if (spares >= SPARE_STACKS) {
		stack_destroy(s);
		return;
	}
	SLIST_INSERT_HEAD(&spare, s, link);
	spares++;
}

void fiber_drop_stacks(void)
{
	struct stack *s;

	while ((s = SLIST_FIRST(&spare))) {
		SLIST_REMOVE_HEAD(&spare, link);
		stack_destroy(s);
	}
	spares = 0;
}

/* Runs f until it waits or ends; only ever called on the loop's stack. */
static void switch_to(struct fiber *f)
{
	running = f;
#if defined(ASAN_LOOKS_ON)
	__sanitizer_start_switch_fiber(&loop_asan_stack, stack_bottom(f->stack), STACK_SIZE);
#endif
	context_swap(&loop_context, &f->context);
#if defined(ASAN_LOOKS_ON)
	__sanitizer_finish_switch_fiber(loop_asan_stack, NULL, NULL);
#endif
	running = NULL;
}

static void switch_away(struct fiber *f)
{
#if defined(ASAN_LOOKS_ON)
	__sanitizer_start_switch_fiber(f->ended ? NULL : &f->asan_stack, loop_stack_bottom, loop_stack_size);
#endif
	context_swap(&f->context, &loop_context);
#if defined(ASAN_LOOKS_ON)
	__sanitizer_finish_switch_fiber(f->asan_stack, &loop_stack_bottom, &loop_stack_size);
#endif
}

/* The stack is let go as soon as the function has returned; the handle lives until it is joined. */
static void fiber_finish(struct fiber *f)
{
	stack_release(f->stack);
	f->stack = NULL;
	if (f->joiner)
		wait_wake(f->joiner, 0);
	if (f->detached)
		free(f);
}

static void run_ready(void *)
{
	struct fiber *f;

	scheduled = false;
	while ((f = STAILQ_FIRST(&ready))) {
		STAILQ_REMOVE_HEAD(&ready, link);
		f->queued = false;
		switch_to(f);
		if (f->ended)
			fiber_finish(f);
	}
}

static void make_ready(struct fiber *f)
{
	if (f->queued || f->ended)
		return;
	f->queued = true;
	STAILQ_INSERT_TAIL(&ready, f, link);
	if (!scheduled) {
		scheduled = true;
		loop_defer(run_ready, NULL);
	}
}

static void entry(void)
{
	struct fiber *f = running;

#if defined(ASAN_LOOKS_ON)
	__sanitizer_finish_switch_fiber(NULL, &loop_stack_bottom, &loop_stack_size);
#endif
	f->fn(f->arg);
	f->ended = true;
	switch_away(f);
	abort(); /* an ended fiber never runs again */
}

void fiber_start(const char *name, void (*fn)(void *arg), void *arg, struct fiber **ret)
{
	struct fiber *f = must(calloc(1, sizeof(*f)));

	f->name = name;
	f->fn = fn;
	f->arg = arg;
	f->detached = !ret;
	f->stack = stack_new();
	context_make(&f->context, stack_bottom(f->stack), STACK_SIZE, entry);
	if (ret)
		*ret = f;
	make_ready(f);
}

struct fiber *fiber_self(void)
{
	return running;
}

bool fiber_ended(const struct fiber *f)
{
	return f->ended;
}

bool fiber_cancelled(void)
{
	return running && running->cancelled && running->shields == 0;
}

void fiber_set_local(void *p)
{
	running->local = p;
}

void *fiber_local(void)
{
	return running ? running->local : NULL;
}

void fiber_cancel(struct fiber *f)
{
	if (!f || f->ended)
		return;
	f->cancelled = true;
	if (f->wait && f->shields == 0)
		wait_wake(f->wait, -ECANCELED);
}

void fiber_shield(void)
{
	running->shields++;
}

void fiber_unshield(void)
{
	assert(running->shields > 0);
	running->shields--;
}

void fiber_join(struct fiber **handle)
{
	struct fiber *f = *handle;
	struct wait w = { 0 };

	if (!f)
		return;
	assert(!f->detached && !f->joiner);
	if (!f->ended || f->stack) { /* it may have ended in this very turn, with its stack still in use */
		f->joiner = &w;
		fiber_shield();
		wait_for(&w, NEVER);
		fiber_unshield();
	}
	*handle = NULL;
	free(f);
}

static void on_timeout(evutil_socket_t, short, void *arg)
{
	wait_wake(arg, -ETIMEDOUT);
}

void wait_wake(struct wait *w, int result)
{
	if (w->done)
		return;
	w->done = true;
	w->result = result;
	if (w->fiber)
		make_ready(w->fiber);
}

static void wait_on(struct wait *w)
{
	struct fiber *f = running;

	w->fiber = f;
	f->wait = w;
	while (!w->done)
		switch_away(f);
	f->wait = NULL;
	w->fiber = NULL;
}

int wait_for(struct wait *w, int64_t deadline)
{
	assert(running);
	if (!w->done && fiber_cancelled())
		wait_wake(w, -ECANCELED);
	if (w->done)
		return w->result;
	if (deadline == NEVER) {
		wait_on(w);
		return w->result;
	}

	struct event *timer = loop_timer(on_timeout, w);

	loop_arm(timer, deadline - loop_now());
	wait_on(w);
	event_free(timer);
	return w->result;
}

int fiber_sleep_until(int64_t when)
{
	struct wait w = { 0 };
	int r = wait_for(&w, when);

	return r == -ETIMEDOUT ? 0 : r;
}

int fiber_yield(void)
{
	return fiber_sleep_until(loop_now());
}

struct fd_wait {
	struct wait wait;
	short came;
};

static void on_fd(evutil_socket_t, short what, void *arg)
{
	struct fd_wait *w = arg;

	w->came = what;
	wait_wake(&w->wait, 0);
}

int fiber_wait_fd(int fd, short what, int64_t deadline)
{
	struct fd_wait w = { .came = 0 };
	struct event *event = loop_watch(fd, what, on_fd, &w);
	int r;

	r = wait_for(&w.wait, deadline);
	event_free(event);
	return r == 0 ? w.came : r;
}
