#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/must.h"
#include "http/place.h"
#include "http/http.h"

static void put_escaped(struct bytes *b, const char *text)
{
	char *escaped = must(curl_easy_escape(NULL, text, (int)strlen(text)));

	bytes_puts(b, escaped);
	curl_free(escaped);
}

const char *http_form(struct arena *arena, const struct http_header *fields, size_t n)
{
	struct bytes b = { 0 };
	const char *form;

	for (size_t i = 0; i < n; i++) {
		bytes_puts(&b, i ? "&" : "");
		put_escaped(&b, fields[i].name);
		bytes_puts(&b, "=");
		put_escaped(&b, fields[i].value);
	}
	form = arena_memdup(arena, b.n ? b.p : "", b.n);
	bytes_free(&b);
	return form;
}

static bool is_web(const char *url)
{
	return strncmp(url, "https:", 6) == 0 || strncmp(url, "http:", 5) == 0;
}

const char *http_join(struct arena *arena, const char *base, const char *location)
{
	const char *joined = NULL;
	struct place place;
	char *text = NULL;

	if (place_read(base, &place) && curl_url_set(place.url, CURLUPART_URL, location, 0) == CURLUE_OK) {
		curl_url_set(place.url, CURLUPART_FRAGMENT, NULL, 0);
		if (curl_url_get(place.url, CURLUPART_URL, &text, 0) == CURLUE_OK && is_web(text))
			joined = arena_strdup(arena, text);
	}
	curl_free(text);
	place_end(&place);
	return joined;
}
