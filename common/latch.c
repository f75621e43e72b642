#include "common/latch.h"

#include <stdbool.h>
#include <stddef.h>

struct latch_waiter {
	struct wait wait;
	bool woken;
	int result;
	LIST_ENTRY(latch_waiter) link;
};

int latch_wait(struct latch *l, int64_t deadline)
{
	struct latch_waiter w = { 0 }, *last = LIST_FIRST(&l->waiters);
	int r;

	while (last && LIST_NEXT(last, link))
		last = LIST_NEXT(last, link);
	if (last)
		LIST_INSERT_AFTER(last, &w, link);
	else
		LIST_INSERT_HEAD(&l->waiters, &w, link);
	r = wait_for(&w.wait, deadline);
	if (w.woken)
		return w.result; /* the wake came between the end of the wait and our turn, and the latch may have gone since */
	LIST_REMOVE(&w, link);
	return r;
}

void latch_wake(struct latch *l, int result)
{
	struct latch_waiter *w;

	while ((w = LIST_FIRST(&l->waiters))) {
		LIST_REMOVE(w, link);
		w->woken = true;
		w->result = result;
		wait_wake(&w->wait, result);
	}
}
