/* An answer for people: lists as tables, the rest as lines, times and durations in words. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "proto/method.h"

/* A copy without control characters: what a peer says must not drive the terminal. To be freed. */
char *print_plain(const char *text);

/* Prints what the method's result rows describe, in their order. */
void print_result(const struct method *m, const json_t *result, FILE *out);
