#include "common/must.h"
#include "streamd/edge_line.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct line *line_new(uint64_t id)
{
	struct line *l = must(calloc(1, sizeof(*l)));

	atomic_init(&l->references, 1);
	l->id = id;
	l->look = (struct order){ .kind = ORDER_LOOK, .line = l };
	l->drained = must(calloc(1, sizeof(*l->drained) + 1));
	l->drained->kind = REPORT_DRAINED;
	l->closed = must(calloc(1, sizeof(*l->closed) + 1));
	l->closed->kind = REPORT_CLOSED;
	l->drained->line = l->closed->line = l;
	return l;
}

struct line *line_ref(struct line *l)
{
	atomic_fetch_add_explicit(&l->references, 1, memory_order_relaxed);
	return l;
}

void line_unref(struct line *l)
{
	if (!l || atomic_fetch_sub_explicit(&l->references, 1, memory_order_acq_rel) != 1)
		return;
	picture_unref(line_take_picture(l));
	free(l->drained);
	free(l->closed);
	free(l);
}

struct order *order_new(enum order_kind kind, struct line *l, const void *bytes, size_t n)
{
	struct order *o = must(malloc(sizeof(*o) + ORDER_HEADROOM + n + 1));

	*o = (struct order){ .kind = kind, .line = l ? line_ref(l) : NULL, .fd = -1, .size = n };
	o->bytes = (uint8_t *)(o + 1) + ORDER_HEADROOM;
	if (n > 0)
		memcpy(o->bytes, bytes, n);
	o->bytes[n] = '\0';
	return o;
}

void order_free(struct order *o)
{
	struct line *l = o->line;

	if (o->kind == ORDER_ADOPT && o->fd >= 0)
		close(o->fd);
	if (o->kind != ORDER_LOOK) {
		explicit_bzero(o->bytes, o->size);
		free(o);
	}
	line_unref(l);
}

struct report *report_new(enum report_kind kind, struct line *l, const void *bytes, size_t n)
{
	struct report *r = must(malloc(sizeof(*r) + n + 1));

	*r = (struct report){ .kind = kind, .line = l ? line_ref(l) : NULL, .size = n };
	if (n > 0 && bytes)
		memcpy(r->bytes, bytes, n);
	r->bytes[n] = '\0';
	return r;
}

void report_free(struct report *r)
{
	struct line *l = r->line;

	if (r->kind != REPORT_DRAINED && r->kind != REPORT_CLOSED) {
		explicit_bzero(r->bytes, r->size);
		free(r);
	}
	line_unref(l);
}

struct picture *line_take_picture(struct line *l)
{
	return atomic_exchange_explicit(&l->slot, NULL, memory_order_acq_rel);
}

void line_put_picture(struct line *l, struct picture *p)
{
	picture_unref(atomic_exchange_explicit(&l->slot, p, memory_order_acq_rel));
}
