/* Cookies: reading one from a request, building one for an answer (RFC 6265bis). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a Set-Cookie value that cookie_build() can make. */
#define COOKIE_MOST 256

/*
 * The names of the two cookies. Over https they carry the prefix __Host-, so that no other host and no plain
 * connection can set them; browsers refuse that prefix on plain loopback.
 */
const char *cookie_login_name(bool https);
const char *cookie_device_name(bool https);

/*
 * Copies the value of the cookie name out of a Cookie header (NULL: none) into out. False, with out empty, if it is not
 * there, stands there twice (somebody planted the other one), or does not fit.
 */
bool cookie_find(const char *header, const char *name, char *out, size_t size);

/* max_age_s: 0 for a cookie that goes with the browser, negative to remove it. value is ours: base64url. */
void cookie_build(char out[COOKIE_MOST], const char *name, const char *value, bool https, int64_t max_age_s);
