#include "authd/exchange.h"

#include <stdlib.h>

#include "common/fiber.h"

void http_check_drained(struct http *h)
{
	if (h->under_way == 0 && h->streaming == 0 && h->unsent == 0)
		latch_wake(&h->drained, 0);
}

struct exchange *exchange_free(struct exchange *x)
{
	struct http *h = x->http;

	LIST_REMOVE(x, link);
	h->under_way--;
	json_decref(x->params);
	call_free(x->call);
	free(x);
	http_check_drained(h);
	return NULL;
}

void exchange_cancel(struct exchange *x)
{
	x->cancelled = true;
	fiber_cancel(x->fiber);
}
