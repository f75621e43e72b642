#include "common/latch.h"

#include <stdbool.h>
#include <stddef.h>

struct latch_waiter {
	struct wait wait;
	bool woken;
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
	if (!w.woken) /* else the latch may have gone since */
		LIST_REMOVE(&w, link);
	return r;
}

void latch_wake(struct latch *l, int result)
{
	struct latch_waiter *w;

	while ((w = LIST_FIRST(&l->waiters))) {
		LIST_REMOVE(w, link);
		w->woken = true;
		wait_wake(&w->wait, result);
		w->wait.result = result; /* also of one that has just ended, and whose fiber has not had its turn */
	}
}
