/* What whoever runs Stead ought to know of a connection string before it is used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes what is to be said of conninfo, in one or two sentences, to out: a password in it that others on this machine can
 * read, or a server elsewhere whose name and key are not checked. False, with out empty, when there is nothing to say. It
 * makes no connection. file: where conninfo stands; "": where nobody else reads it; NULL: on the command line.
 */
bool db_remark(const char *conninfo, const char *file, char *out, size_t size);
