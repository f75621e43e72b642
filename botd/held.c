#include "botd/held.h"

#include <stdlib.h>

#include "common/must.h"

void held_free(struct held_set *h)
{
	free(h->ids);
}

bool held_has(const struct held_set *h, int64_t id)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->ids[i] == id)
			return true;
	}
	return false;
}

void held_add(struct held_set *h, int64_t id)
{
	if (held_has(h, id))
		return;
	h->ids = must(reallocarray(h->ids, h->count + 1, sizeof(*h->ids)));
	h->ids[h->count++] = id;
}

void held_remove(struct held_set *h, int64_t id)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->ids[i] == id)
			h->ids[i--] = h->ids[--h->count];
	}
}
