#include "streamd/browser/picture.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"

#define TYPE_FRAME 1
#define FLAG_SHARP 1

struct picture {
	unsigned references;
	uint32_t seq;
	size_t size; /* of the message */
	uint8_t bytes[];
};

static void put_u32(uint8_t *p, uint32_t n)
{
	n = htole32(n);
	memcpy(p, &n, sizeof(n));
}

static void put_f32(uint8_t *p, float f)
{
	uint32_t n;

	memcpy(&n, &f, sizeof(n));
	put_u32(p, n);
}

static void put_f64(uint8_t *p, double d)
{
	uint64_t n;

	memcpy(&n, &d, sizeof(n));
	n = htole64(n);
	memcpy(p, &n, sizeof(n));
}

static void put_header(uint8_t *p, const struct picture_header *h)
{
	p[0] = TYPE_FRAME;
	p[1] = h->sharp ? FLAG_SHARP : 0;
	p[2] = p[3] = 0;
	put_u32(p + 4, h->seq);
	put_f64(p + 8, h->captured_at);
	put_f32(p + 16, h->page_width);
	put_f32(p + 20, h->page_height);
	put_f32(p + 24, h->offset_top);
	put_f32(p + 28, h->page_scale);
}

struct picture *picture_new(const struct picture_header *header, size_t size)
{
	struct picture *p = must(malloc(sizeof(*p) + PICTURE_HEADROOM + PICTURE_HEADER + size));

	p->references = 1;
	p->seq = header->seq;
	p->size = PICTURE_HEADER + size;
	put_header(picture_message(p), header);
	return p;
}

uint8_t *picture_message(struct picture *p)
{
	return p->bytes + PICTURE_HEADROOM;
}

uint8_t *picture_jpeg(struct picture *p)
{
	return picture_message(p) + PICTURE_HEADER;
}

size_t picture_size(const struct picture *p)
{
	return p->size;
}

uint32_t picture_seq(const struct picture *p)
{
	return p->seq;
}

struct picture *picture_ref(struct picture *p)
{
	p->references++;
	return p;
}

struct picture *picture_unref(struct picture *p)
{
	if (p && --p->references == 0)
		free(p);
	return NULL;
}
