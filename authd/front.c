#include "authd/front.h"

#include <string.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "common/cookie.h"
#include "common/origin.h"

bool front_cookie(const struct front *f, cookie_name *name, char *out, size_t size)
{
	return cookie_find(evhttp_find_header(evhttp_request_get_input_headers(f->request), "Cookie"),
		name(origin_is_https(f->origin)), out, size);
}

void front_set_cookie(const struct front *f, cookie_name *name, const char *value, int64_t max_age_s)
{
	bool https = origin_is_https(f->origin);
	char cookie[COOKIE_MOST];

	cookie_build(cookie, name(https), value, https, max_age_s);
	evhttp_add_header(evhttp_request_get_output_headers(f->request), "Set-Cookie", cookie);
	explicit_bzero(cookie, sizeof(cookie));
}
