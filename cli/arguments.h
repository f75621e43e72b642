/* The command line as a method's parameters. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "cli/command.h"

/* How it is to be said. */
struct wish {
	bool json, wide, quiet, help;
};

/* Whether that is one of --json, --wide, --quiet, --help and -h; then it is put into w. */
bool arguments_wish(const char *argument, struct wish *w);

/*
 * Makes the parameters of a method of what follows its words: {field} of the template in order, then --field VALUE,
 * --field=VALUE, or --field alone for a BOOL. A SECRET is never taken from the command line, which others can read: it is
 * asked for on the terminal, or read from a line of standard input. What every command takes goes into ret_wish. NULL after
 * saying what is wrong on standard error.
 */
json_t *arguments_parse(const struct command *c, int argc, char *const argv[], struct wish *ret_wish);
