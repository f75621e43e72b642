/* What a page sends to the edge: messages put together from their fragments, and what is no message counted. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/utf.h"
#include "streamd/edge/edge_inside.h"

#define CONTROL_MS     10000 /* over which control frames are counted; browsers send no pings */
#define MOST_CONTROL   20
#define CONTROL_LENGTH 125   /* bytes that a control frame carries at most, RFC 6455 section 5.5 */

/* Something is wrong with what the peer sent. */
static int refuse_input(struct line *l, int code, const char *reason)
{
	log_debug("viewer %llu is closed with %d: %s", (unsigned long long)l->id, code, reason);
	edge_line_close_now(l, code, reason);
	return 0;
}

static void count_control(struct line *l)
{
	int64_t now = loop_now();

	if (now - l->control_since_ms >= CONTROL_MS) {
		l->control_since_ms = now;
		l->control = 0;
	}
	if (++l->control > MOST_CONTROL && !l->closing)
		refuse_input(l, EDGE_CLOSE_POLICY, "Too many frames that are no messages.");
}

void edge_ponged(struct line *l)
{
	l->brought = true;
	count_control(l);
}

/*
 * The library answers pings by itself and tells nobody. What can be seen of them is a turn that has read and brought
 * nothing, neither a piece of a message nor a part of a frame that is longer than a control frame may be, or goes on.
 */
void edge_check_control(struct line *l)
{
	size_t ahead;

	if (!l->read || !l->accepted)
		return;
	ahead = lws_remaining_packet_payload(l->wsi);
	if (!l->brought && ahead <= CONTROL_LENGTH && (l->ahead == 0 || ahead >= l->ahead))
		count_control(l);
	l->ahead = ahead;
	l->read = l->brought = false;
}

/* The message is taken off the line first, for whoever hears it may close that. */
static void edge_input_deliver(struct line *l)
{
	char *text = l->message;
	size_t n = l->got;

	l->message = NULL;
	l->got = l->room = 0;
	text[n] = '\0';
	l->edge->events->message(l->visitor, text, n);
	explicit_bzero(text, n);
	free(text);
}

/* The room doubles, so that a message in very many pieces is not copied as often; the old room is cleansed. */
static void edge_input_make_room(struct line *l, size_t n)
{
	char *p = must(malloc(2 * n));

	if (l->message) {
		memcpy(p, l->message, l->got);
		explicit_bzero(l->message, l->got);
		free(l->message);
	}
	l->message = p;
	l->room = 2 * n;
}

static void edge_input_append(struct line *l, const char *in, size_t n)
{
	if (!l->message || l->room - l->got < n + 1)
		edge_input_make_room(l, l->got + n + 1);
	memcpy(l->message + l->got, in, n);
	l->got += n;
}

int edge_received(struct line *l, const char *in, size_t n)
{
	size_t most = l->edge->config.message;
	size_t rest = lws_remaining_packet_payload(l->wsi);

	if (n > 0 || lws_is_final_fragment(l->wsi)) /* empty pieces could go on for ever */
		l->brought = true;
	if (l->closing)
		return 0;
	if (!l->accepted)
		return refuse_input(l, EDGE_CLOSE_POLICY, "Wait for the first message before sending.");
	if (lws_frame_is_binary(l->wsi))
		return refuse_input(l, EDGE_CLOSE_BINARY, "Only text is taken here.");
	if (n > most - l->got || rest > most - l->got - n)
		return refuse_input(l, EDGE_CLOSE_TOO_BIG, "The message is larger than Stead accepts.");
	edge_input_append(l, in, n);
	if (rest > 0 || !lws_is_final_fragment(l->wsi))
		return 0;
	if (!utf8_valid(l->message, l->got))
		return refuse_input(l, EDGE_CLOSE_UTF8, "The message is not UTF-8.");
	edge_input_deliver(l);
	return 0;
}
