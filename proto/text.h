/* JSON being written, behind what is there. What is written comes from our own structs, whose limits bound it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/bytes.h"

#define TEXT_KEPT (128 * 1024) /* bytes that a buffer which is used again keeps */

/* Values. text_string() is false, and writes nothing that counts, when s is not UTF-8. */
bool text_string(struct bytes *t, const char *s, size_t n);
void text_whole(struct bytes *t, int64_t n);
void text_real(struct bytes *t, double n); /* finite */
void text_json(struct bytes *t, const json_t *value);
