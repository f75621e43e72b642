/*
 * The HTTP request that a call came by, as handlers see it: call->front. NULL for calls over RPC.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evhttp_request;
struct login;

struct front {
	struct evhttp_request *request;
	const char *origin;        /* the one of ours that Host names */
	const struct login *login; /* of the request's cookie, or NULL; lives as long as the call */
};

/* cookie_login_name() or cookie_device_name(): whether the page is served over https decides the cookies' names and attributes. */
typedef const char *cookie_name(bool https);

/* Copies the value of a cookie; false if the request has none of that name, or two. */
bool front_cookie(const struct front *f, cookie_name *name, char *out, size_t size);

/* The answer sets this cookie; value and max_age_s as cookie_build() takes them. */
void front_set_cookie(const struct front *f, cookie_name *name, const char *value, int64_t max_age_s);
