#include <assert.h>
#include <string.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "http/transfer.h"

const char *http_header_of(const struct http_answer *a, const char *name)
{
	for (size_t i = 0; i < a->headers_count; i++)
		if (strcasecmp(a->headers[i].name, name) == 0)
			return a->headers[i].value;
	return NULL;
}

static void copy_headers(CURL *easy, struct arena *arena, struct http_answer *ret)
{
	struct http_header *headers;
	struct curl_header *h = NULL;
	size_t n = 0;

	while ((h = curl_easy_nextheader(easy, CURLH_HEADER, -1, h)))
		n++;
	headers = arena_array(arena, n + 1, sizeof(*headers));
	for (size_t i = 0; i < n; i++) {
		h = curl_easy_nextheader(easy, CURLH_HEADER, -1, h);
		headers[i] = (struct http_header){ arena_strdup(arena, h->name), arena_strdup(arena, h->value) };
	}
	ret->headers = headers;
	ret->headers_count = n;
}

/* What the site can act on without its body is gone with the head. */
static bool is_gone(const struct transfer *t)
{
	long sent = 0;

	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
	return t->request->size ? t->gone : sent > 0;
}

static void copy_answer(const struct transfer *t, struct arena *arena, struct http_answer *ret)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	ret->status = (int)status;
	ret->body = arena_memdup(arena, t->body.n ? t->body.p : "", t->body.n);
	ret->size = t->body.n;
	copy_headers(t->easy, arena, ret);
}

static int fetch_end(const struct transfer *t, int r, struct arena *arena, struct http_answer *ret)
{
	ret->gone = is_gone(t);
	if (r == 0)
		copy_answer(t, arena, ret);
	return r;
}

int http_fetch(struct http_client *h, const struct http_request *q, struct arena *arena, struct http_answer *ret,
	char why[HTTP_WHY])
{
	CLEANUP(transfer_freep) struct transfer *t = NULL;
	int r;

	*why = '\0';
	*ret = (struct http_answer){ 0 };
	r = transfer_new(h, q, &t, why);
	return r < 0 ? r : fetch_end(t, transfer_run(t, why), arena, ret);
}

int http_hold(struct http_client *h, const struct http_request *q, struct transfer **ret, char why[HTTP_WHY])
{
	CLEANUP(transfer_freep) struct transfer *t = NULL;
	int r;

	*why = '\0';
	assert(q->once && q->size);
	r = transfer_new(h, q, &t, why);
	if (r < 0)
		return r;
	t->holding = true;
	r = transfer_run(t, why);
	if (r == 0)
		*ret = TAKE(t);
	return r;
}

bool http_held_lost(const struct transfer *t)
{
	return transfer_is_lost(t);
}

int http_let_go(struct transfer *t, int64_t deadline, struct arena *arena, struct http_answer *ret, char why[HTTP_WHY])
{
	*why = '\0';
	*ret = (struct http_answer){ 0 };
	return fetch_end(t, transfer_finish(t, deadline, why), arena, ret);
}
