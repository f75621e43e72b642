/* An answer for people: lists as tables, the rest as lines, times and durations in words. */
#pragma once

#include <jansson.h>

#include "cli/columns.h"
#include "proto/method.h"

#define PRINT_HEAD 20 /* columns of the name before a value */

/* Prints what the method's result rows describe, in their order. */
void print_result(const struct page *page, const struct method *m, const json_t *result);
