/* A list as a table. */
#pragma once

#include <jansson.h>

#include "cli/columns.h"
#include "proto/method.h"

/*
 * Prints the rows of a list field: whole where the page has no end; else what stands last goes on in further lines, what
 * stands before it is cut to fit, and columns for which there is no room at all are named below.
 */
void table_print(const struct page *page, const struct field *list, const json_t *rows);
