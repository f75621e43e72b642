#include "http/http_inside.h"

#include <stdlib.h>

#include <event2/event.h>

#include "common/loop.h"
#include "common/must.h"
#include "http/transfer.h"

static void take_done(struct http_client *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct transfer *t;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		transfer_done(t, m->data.result);
	}
}

static void socket_ready(int fd, short what, void *arg)
{
	struct http_client *h = arg;
	int bits = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0), running;

	curl_multi_socket_action(h->multi, fd, bits, &running);
	take_done(h);
}

static void time_has_come(int, short, void *arg)
{
	struct http_client *h = arg;
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_done(h);
}

/* watched: the event of before, if there is one. */
static int watch_socket(CURL *, curl_socket_t fd, int what, void *arg, void *watched)
{
	struct http_client *h = arg;
	short bits = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));

	if (watched)
		event_free(watched);
	if (what == CURL_POLL_REMOVE)
		bits = 0;
	curl_multi_assign(h->multi, fd, bits ? loop_watch(fd, (short)(bits | EV_PERSIST), socket_ready, h) : NULL);
	return 0;
}

static int set_timer(CURLM *, long ms, void *arg)
{
	struct http_client *h = arg;

	if (ms < 0)
		event_del(h->timer);
	else
		loop_arm(h->timer, ms);
	return 0;
}

struct http_client *http_client_new(const struct http_config *config)
{
	struct http_client *h = must(calloc(1, sizeof(*h)));

	h->config = *config;
	h->timer = loop_timer(time_has_come, h);
	h->multi = must(curl_multi_init());
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	return h;
}

struct http_client *http_client_free(struct http_client *h)
{
	if (h) {
		curl_multi_cleanup(h->multi);
		event_free(h->timer);
		free(h);
	}
	return NULL;
}

void http_client_freep(struct http_client **h)
{
	http_client_free(*h);
}
