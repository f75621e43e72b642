#include "botd/held.h"

#include <stdlib.h>

#include "common/must.h"

struct held {
	int64_t *ids;
	size_t count;
};

struct held *held_new(void)
{
	struct held *h = must(calloc(1, sizeof(*h)));

	return h;
}

struct held *held_free(struct held *h)
{
	if (h)
		free(h->ids);
	free(h);
	return NULL;
}

bool held_has(const struct held *h, int64_t id)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->ids[i] == id)
			return true;
	}
	return false;
}

void held_add(struct held *h, int64_t id)
{
	if (held_has(h, id))
		return;
	h->ids = must(reallocarray(h->ids, h->count + 1, sizeof(*h->ids)));
	h->ids[h->count++] = id;
}

void held_remove(struct held *h, int64_t id)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->ids[i] == id)
			h->ids[i--] = h->ids[--h->count];
	}
}
