/* An answer for people: lists as tables, the rest as lines, times and durations in words. */
#pragma once

#include <jansson.h>

#include "cli/columns.h"
#include "proto/method.h"

#define PRINT_HEAD 20 /* columns of the name before a value */

/* A copy without control characters: what a peer says must not drive the terminal. To be freed. */
char *print_plain(const char *text);

/* One value in words, by the unit that its name says; "" for NULL. To be freed. */
char *print_words(const char *name, const json_t *value);

/* "saved_at_ms" is "saved" for people: its value says its unit. To be freed. */
char *print_title(const char *name);

/* Prints what the method's result rows describe, in their order. */
void print_result(const struct page *page, const struct method *m, const json_t *result);
