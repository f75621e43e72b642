#include "streamd/screen/viewer.h"

#include "common/log.h"
#include "proto/field.h"
#include "proto/message.h"
#include "proto/text.h"

void viewer_tell(struct viewer *v, const struct method *event, const void *fields)
{
	struct text t = { 0 };
	struct refusal why;
	int fd;

	message_begin_notification(&t, event->name);
	if (fields_write(&t, event->params(), fields, &fd, &why) < 0) {
		log_error("the event %s breaks its own row: %s", event->name, why.message);
	} else {
		message_end(&t, false);
		edge_send_text(v->edge, v->id, t.p, t.n);
	}
	text_free(&t);
}

size_t viewers_count(const struct viewer_list *list)
{
	const struct viewer *v;
	size_t n = 0;

	LIST_FOREACH (v, list, link)
		n++;
	return n;
}

bool viewers_look(const struct viewer_list *list)
{
	const struct viewer *v;

	LIST_FOREACH (v, list, link)
		if (v->visible)
			return true;
	return false;
}

void viewers_tell(struct viewer_list *list, const struct method *event, const void *fields)
{
	struct viewer *v;

	LIST_FOREACH (v, list, link)
		viewer_tell(v, event, fields);
}

void viewers_show(struct viewer_list *list, struct picture *p)
{
	struct viewer *v;

	LIST_FOREACH (v, list, link)
		if (v->visible)
			edge_send_picture(v->edge, v->id, p);
}
