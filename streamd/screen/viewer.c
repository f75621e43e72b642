#include "streamd/screen/viewer.h"

#include <errno.h>

#include "common/log.h"
#include "common/words.h"
#include "proto/field.h"
#include "proto/message.h"
#include "common/bytes.h"
#include "streamd/screen/hands.h"

void viewer_tell(struct viewer *v, const struct method *event, const void *fields)
{
	struct bytes t = { 0 };
	struct refusal why;
	int fd;

	message_begin_notification(&t, event->name);
	if (fields_write(&t, event->params(), fields, &fd, &why) < 0) {
		log_error("the event %s breaks its own row: %s", event->name, why.message);
	} else {
		message_end(&t, false);
		edge_send_text(v->edge, v->id, t.p, t.n);
	}
	bytes_free(&t);
}

int viewer_carry_out(struct viewer *v, const struct said *said, const char **ret_why)
{
	static char why[124];
	int r;

	said->call->front = v;
	r = said->row->handler(said->call, said->params, NULL);
	if (r == 0)
		return 0;
	words_set(why, sizeof(why), "%s", call_why(said->call, r));
	*ret_why = why;
	return -EPROTO;
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
