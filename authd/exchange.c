#include "authd/exchange.h"

#include <stdlib.h>

#include "common/fiber.h"

struct exchange *exchange_free(struct exchange *x)
{
	struct http *h = x->http;

	LIST_REMOVE(x, link);
	h->under_way--;
	json_decref(x->params);
	call_free(x->call);
	free(x);
	latch_wake(&h->drained, 0);
	return NULL;
}

void exchange_cancel(struct exchange *x)
{
	x->cancelled = true;
	fiber_cancel(x->fiber);
}
