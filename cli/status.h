/* How every part of Stead is: what all daemons say of themselves, under one headline. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/ask.h"
#include "cli/columns.h"

/*
 * Prints a headline and a block for each daemon; with problems_only, nothing while all is well, and else the headline alone. page
 * NULL: prints nothing.
 * Returns the exit status: 0 when all is well, 77 where it may not be asked, else 69.
 */
int status_print(const struct page *page, const struct answer *answers, size_t count, bool problems_only);
