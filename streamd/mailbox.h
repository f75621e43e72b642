/*
 * One way from one thread to another: letters are put in without waiting and taken out all at once, in order.
 *
 * Lock-free: putting is one compare-and-swap, taking one exchange. A letter is the first member of what it carries; it
 * may be put again once it has been taken.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct letter {
	struct letter *next;
};

struct mailbox {
	_Atomic(struct letter *) last;
};

/* True if the box was empty: the taker has to be woken. */
bool mailbox_put(struct mailbox *box, struct letter *letter);

/* All letters, oldest first, linked by next; NULL if there is none. */
struct letter *mailbox_take(struct mailbox *box);
