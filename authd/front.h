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

/* Whether the page is served over https, which decides the cookies' names and attributes. */
bool front_https(const struct front *f);

/* Copies the value of a cookie; false if the request has none of that name, or two. */
bool front_cookie(const struct front *f, const char *name, char *out, size_t size);

/* The answer sets this cookie; value as cookie_build() makes it. */
void front_set_cookie(struct front *f, const char *cookie);
