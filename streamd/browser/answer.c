#include "streamd/browser/answer.h"

#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/egress_rule.h"
#include "common/loop.h"
#include "common/retry_after.h"
#include "common/words.h"
#include "streamd/browser/net_error.h"

const char *answer_header(struct arena *arena, const struct cbor *headers, const char *name)
{
	for (const struct cbor *h = cbor_first(headers); h; h = cbor_next(h)) {
		size_t n = 0;
		const char *key = cbor_key(h, &n);
		if (key && n == strlen(name) && strncasecmp(key, name, n) == 0)
			return cbor_text_utf8(arena, h);
	}
	return NULL;
}

void answer_read(struct answer *a, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	const struct cbor *response = cbor_get(params, "response"), *headers = cbor_get(response, "headers");
	int64_t status = cbor_get_int(response, "status", 0);
	const char *proxy = answer_header(arena, headers, "proxy-status");
	bool unreached = status == 502 && proxy && strncmp(proxy, EGRESS_PROXY, strlen(EGRESS_PROXY)) == 0;

	a->status = status >= 100 && status <= 999 && !unreached ? (int)status : 0;
	words_set(a->error, sizeof(a->error), "%s", unreached ? "net::ERR_CONNECTION_FAILED" : ""); /* as Chromium has it over HTTPS */
	a->challenged = status == 401 && answer_header(arena, headers, "www-authenticate");
	a->retry_ms = retry_after_ms(answer_header(arena, headers, "retry-after"), wall_now());
}

void answer_fail(struct answer *a, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const char *error = cbor_get_utf8(arena, params, "errorText");

	if (error && strcmp(error, "net::ERR_HTTP_RESPONSE_CODE_FAILURE") == 0 && (a->status || a->error[0]))
		return; /* an error without a page: Chromium shows one of its own, but it was answered */
	a->status = 0;
	a->retry_ms = 0;
	words_set(a->error, sizeof(a->error), "%s", error ? error : "net::ERR_FAILED");
}

bool answer_is_down(const struct answer *a)
{
	return a->status >= 500 || a->status == 429 || (a->error[0] && net_error_is_outage(a->error));
}

static const char *status_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} rows[] = { { 404, " (there is no such page)" }, { 410, " (the page is gone)" },
		{ 429, " (it wants to be asked less often)" }, { 500, " (it has failed)" },
		{ 502, " (what stands behind it does not answer)" }, { 503, " (it is not available now)" },
		{ 504, " (what stands behind it does not answer)" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].status == status)
			return rows[i].words;
	return "";
}

void answer_words(const struct answer *a, char *out, size_t size)
{
	if (a->error[0])
		words_set(out, size, "cannot be reached: %s (%s)", net_error_words(a->error), a->error);
	else if (a->status)
		words_set(out, size, "answers %d%s", a->status, status_words(a->status));
	else
		words_set(out, size, "has not answered");
}
