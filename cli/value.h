/* One value of an answer, and its name, in words for people. */
#pragma once

#include <jansson.h>

/* A copy without control characters: what a peer says must not drive the terminal. To be freed. */
char *value_plain(const char *text);

/* One value in words, by the unit that its name says; "" for NULL. To be freed. */
char *value_words(const char *name, const json_t *value);

/* "saved_at_ms" is "saved" for people: its value says its unit. To be freed. */
char *value_title(const char *name);
