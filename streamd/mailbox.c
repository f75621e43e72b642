#include "streamd/mailbox.h"

#include <stddef.h>

bool mailbox_put(struct mailbox *box, struct letter *letter)
{
	struct letter *last = atomic_load_explicit(&box->last, memory_order_relaxed);

	do {
		letter->next = last;
	} while (!atomic_compare_exchange_weak_explicit(
		&box->last, &last, letter, memory_order_release, memory_order_relaxed));
	return !last;
}

struct letter *mailbox_take(struct mailbox *box)
{
	struct letter *newest = atomic_exchange_explicit(&box->last, NULL, memory_order_acquire);
	struct letter *oldest = NULL;

	while (newest) {
		struct letter *next = newest->next;
		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}
