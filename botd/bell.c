#include "botd/bell.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/must.h"


struct bell {
	struct hearer *hearers;
	bool ended;
};

struct bell *bell_new(void)
{
	struct bell *b = must(calloc(1, sizeof(*b)));

	return b;
}

struct bell *bell_free(struct bell *b)
{
	free(b);
	return NULL;
}

void bell_listen(struct bell *b, struct hearer *h, int64_t number)
{
	*h = (struct hearer){ .next = b->hearers, .bell = b, .number = number };
	b->hearers = h;
}

void bell_leave(struct hearer *h)
{
	struct hearer **at = &h->bell->hearers;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
}

static void wake(struct hearer *h, int result)
{
	h->rung = true;
	latch_wake(&h->latch, result);
}

void bell_ring(struct bell *b, int64_t number)
{
	for (struct hearer *h = b->hearers; h; h = h->next) {
		if (number == 0 || h->number == 0 || h->number == number)
			wake(h, 0);
	}
}

void bell_end(struct bell *b)
{
	b->ended = true;
	for (struct hearer *h = b->hearers; h; h = h->next)
		wake(h, -ESHUTDOWN);
}

int bell_wait(struct hearer *h, int64_t deadline)
{
	int r = 0;

	if (h->bell->ended)
		return -ESHUTDOWN;
	if (!h->rung)
		r = latch_wait(&h->latch, deadline);
	h->rung = false;
	return r;
}
