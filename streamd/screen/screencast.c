#include "streamd/screen/screencast.h"

#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "streamd/browser/page.h"

#define MOST_JPEG (16u << 20)
#define MOST_TIME 1e11 /* s since 1970; no picture is from later */

struct screencast {
	void (*show)(void *owner, struct picture *p);
	void *owner;
	int quality, width, height;
	struct target_ref page;
	bool on, casting;
	uint32_t seq;
	double newest; /* metadata.timestamp of the newest frame: encoding is not in order */
	struct picture *last;
};

struct screencast *screencast_new(int quality, void (*show)(void *owner, struct picture *p), void *owner)
{
	struct screencast *c = must(calloc(1, sizeof(*c)));

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

static void screencast_stop(struct screencast *c)
{
	const struct target *page = target_of(c->page);

	if (page && c->casting)
		cdp_send(browser_cdp(page->browser), page->session, "Page.stopScreencast");
	c->casting = false;
}

static void screencast_start(struct screencast *c)
{
	const struct target *page = target_of(c->page);

	if (!page || !c->on)
		return;
	cdp_send(browser_cdp(page->browser), page->session, "Page.startScreencast", CDP_TEXT("format", "jpeg"),
		CDP_INT("quality", c->quality));
	c->casting = true;
}

static void apply_size(struct screencast *c)
{
	const struct target *page = target_of(c->page);
	const struct monitor *screen;

	if (!page || !c->width)
		return;
	screen = &browser_environment(page->browser)->screen;
	cdp_send(browser_cdp(page->browser), page->session, "Emulation.setDeviceMetricsOverride",
		CDP_INT("width", c->width), CDP_INT("height", c->height), CDP_INT("deviceScaleFactor", 1),
		CDP_BOOL("mobile", false), CDP_INT("screenWidth", screen->width ? screen->width : c->width),
		CDP_INT("screenHeight", screen->width ? screen->height : c->height));
}

void screencast_set_page(struct screencast *c, struct target_ref page)
{
	if (target_ref_equal(c->page, page))
		return;
	screencast_stop(c);
	c->page = page;
	c->newest = 0;
	apply_size(c);
	screencast_start(c);
}

void screencast_set_on(struct screencast *c, bool on)
{
	if (c->on == on)
		return;
	c->on = on;
	if (on)
		screencast_start(c);
	else
		screencast_stop(c);
}

/* A second start without a stop gives nothing; a stop and a start give exactly one picture of a page at rest. */
void screencast_refresh(struct screencast *c)
{
	screencast_stop(c);
	screencast_start(c);
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

static float measure(const struct cbor *meta, const char *key, double otherwise)
{
	page_place(cbor_get(meta, key), &otherwise);
	return (float)otherwise;
}

static struct picture *make_picture(struct screencast *c, const struct cbor *params, double at)
{
	const struct cbor *meta = cbor_get(params, "metadata");
	struct picture_header header = { .seq = ++c->seq,
		.captured_at = at,
		.page_width = measure(meta, "deviceWidth", c->width),
		.page_height = measure(meta, "deviceHeight", c->height),
		.offset_top = measure(meta, "offsetTop", 0),
		.page_scale = measure(meta, "pageScaleFactor", 1) };
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

	if (!target_ref_equal(target_ref_of(page), c->page) || page->barred || !(at >= c->newest && at <= MOST_TIME))
		return;
	c->newest = at;
	p = make_picture(c, params, at);
	if (!p)
		return;
	picture_unref(c->last);
	c->last = p;
	c->show(c->owner, p);
}
