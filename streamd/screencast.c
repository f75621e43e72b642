#include "streamd/screencast.h"

#include <stdlib.h>
#include <string.h>


#define MOST_JPEG (16u << 20)

struct screencast {
	void (*show)(void *owner, struct picture *p);
	void *owner;
	int quality, width, height;
	struct target *page;
	bool on, casting;
	uint32_t seq;
	double newest; /* metadata.timestamp of the newest frame: encoding is not in order */
	struct picture *last;
};

struct screencast *screencast_new(int quality, void (*show)(void *owner, struct picture *p), void *owner)
{
	struct screencast *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->show = show;
	c->owner = owner;
	c->quality = quality;
	return c;
}

struct screencast *screencast_free(struct screencast *c)
{
	if (!c)
		return NULL;
	picture_unref(c->last);
	free(c);
	return NULL;
}

struct picture *screencast_last(const struct screencast *c)
{
	return c->last;
}

static void stop(struct screencast *c)
{
	if (c->page && c->casting && c->page->session[0])
		cdp_send(browser_cdp(c->page->browser), c->page->session, "Page.stopScreencast");
	c->casting = false;
}

static void start(struct screencast *c)
{
	if (!c->page || !c->on || !c->page->session[0])
		return;
	cdp_send(browser_cdp(c->page->browser), c->page->session, "Page.startScreencast", CDP_TEXT("format", "jpeg"),
		CDP_INT("quality", c->quality));
	c->casting = true;
}

static void apply_size(struct screencast *c)
{
	if (!c->page || !c->width || !c->page->session[0])
		return;
	cdp_send(browser_cdp(c->page->browser), c->page->session, "Emulation.setDeviceMetricsOverride",
		CDP_INT("width", c->width), CDP_INT("height", c->height), CDP_INT("deviceScaleFactor", 1),
		CDP_BOOL("mobile", false), CDP_INT("screenWidth", c->width), CDP_INT("screenHeight", c->height));
}

void screencast_set_page(struct screencast *c, struct target *page)
{
	if (c->page == page)
		return;
	stop(c);
	c->page = page;
	c->newest = 0;
	apply_size(c);
	start(c);
}

void screencast_set_on(struct screencast *c, bool on)
{
	if (c->on == on)
		return;
	c->on = on;
	if (on)
		start(c);
	else
		stop(c);
}

/* A second start without a stop gives nothing; a stop and a start give exactly one picture of a page at rest. */
void screencast_refresh(struct screencast *c)
{
	stop(c);
	start(c);
}

/* The picture after a resize is lost in one of five cases, so one is asked for. */
void screencast_set_size(struct screencast *c, int width, int height)
{
	if (c->width == width && c->height == height)
		return;
	c->width = width;
	c->height = height;
	apply_size(c);
	screencast_refresh(c);
}

static struct picture *make_picture(struct screencast *c, const struct cbor *params, double at)
{
	const struct cbor *meta = cbor_get(params, "metadata");
	struct picture_header header = { .seq = ++c->seq,
		.captured_at = at,
		.page_width = (float)cbor_get_double(meta, "deviceWidth", c->width),
		.page_height = (float)cbor_get_double(meta, "deviceHeight", c->height),
		.offset_top = (float)cbor_get_double(meta, "offsetTop", 0),
		.page_scale = (float)cbor_get_double(meta, "pageScaleFactor", 1) };
	size_t n = 0;
	const uint8_t *jpeg = cbor_bytes(cbor_get(params, "data"), &n);
	struct picture *p;

	if (!jpeg || n > MOST_JPEG)
		return NULL;
	p = picture_new(&header, n);
	memcpy(picture_jpeg(p), jpeg, n);
	return p;
}

void screencast_frame(struct screencast *c, struct target *page, const struct cbor *params)
{
	double at = cbor_get_double(cbor_get(params, "metadata"), "timestamp", 0);
	struct picture *p;

	if (page != c->page || page->barred || at < c->newest)
		return;
	c->newest = at;
	p = make_picture(c, params, at);
	if (!p)
		return;
	picture_unref(c->last);
	c->last = p;
	c->show(c->owner, p);
}
