/*
 * JSON texts from peers, read strictly (RFC 8259 with the choices it leaves open closed): one object, at most 32
 * deep, no duplicate names, UTF-8 only, no NUL and no lone surrogates.
 */
#pragma once

#include <stddef.h>

#include <jansson.h>

#define JSON_MOST_DEPTH 32

/*
 * Makes jansson cleanse every block it frees, since documents may hold secrets. Once, before the first document.
 */
void json_cleanse(void);

/*
 * Reads n bytes into a new reference. -EBADMSG when it is not such a text; then *ret_why, if given, is a fixed
 * sentence that says what is wrong.
 */
int json_read(const char *p, size_t n, json_t **ret, const char **ret_why);

/* The same of a text that may be a list as well. */
int json_read_any(const char *p, size_t n, json_t **ret, const char **ret_why);

/* The compact text of a document, to be freed with json_text_free(), which cleanses it. Aborts on exhaustion. */
char *json_text(const json_t *document, size_t *ret_length);
void json_text_free(char *text, size_t length);
