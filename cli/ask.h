/* Asking the daemons. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/command.h"
#include "proto/error.h"

/* What one daemon said. */
struct answer {
	const struct command *command;
	json_t *result; /* NULL: refusal says why */
	struct refusal refusal;
};

/*
 * Calls each command's daemon, all at once, and waits for what they say; whoever takes longer than three seconds is named on
 * standard error meanwhile, and after ms none is waited for. ret has count places, COMMAND_MOST at most; results are to be freed
 * with json_decref().
 */
void ask_daemons(const char *socket_dir, const struct command *commands, size_t count, json_t *params, int64_t ms,
	struct answer *ret);

/* Whether any daemon has its socket there; where none has, it is the directory that is wrong, or Stead is not started. */
bool ask_finds(const char *socket_dir);

/* The refusal as one line for the administrator, its field named once. To be freed. */
char *ask_cause(const struct refusal *refusal);
