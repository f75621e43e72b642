/* The command line as a method's parameters. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "cli/command.h"

/*
 * Makes the parameters of a method of what follows its words: {field} of the template in order, then --field VALUE,
 * --field=VALUE, or --field alone for a BOOL. A SECRET is never taken from the command line, which others can read: it is
 * asked for on the terminal, or read from a line of standard input. --json and --help (or -h) are told apart. NULL after saying
 * what is wrong on standard error.
 */
json_t *arguments_parse(const struct command *c, int argc, char *const argv[], bool *ret_json, bool *ret_help);
