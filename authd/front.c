#include "authd/front.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "common/cookie.h"
#include "common/origin.h"

bool front_https(const struct front *f)
{
	return origin_is_https(f->origin);
}

bool front_cookie(const struct front *f, const char *name, char *out, size_t size)
{
	return cookie_find(evhttp_find_header(evhttp_request_get_input_headers(f->request), "Cookie"), name, out, size);
}

static void front_set_header(struct front *f, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(f->request), name, value);
}

void front_set_cookie(struct front *f, const char *cookie)
{
	front_set_header(f, "Set-Cookie", cookie);
}
