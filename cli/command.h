/* steadctl's commands: the rows of the method tables that have words of their own. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "proto/method.h"

/* One row that the words on the command line may mean. */
struct command {
	const char *daemon;
	const struct method *method;
};

#define COMMAND_MOST 16 /* daemons that may share the same words */

/*
 * The rows whose words begin the command line; the longest words win, and rows with the same words (status) all count.
 * *ret_used is how many arguments the words took. 0 if there is none.
 */
size_t command_find(int argc, char *const argv[], struct command ret[COMMAND_MOST], int *ret_used);

/* The commands that begin with this word (NULL: all), with their sentences; how many there are. out may be NULL. */
size_t command_list(const char *first, FILE *out);

/*
 * The words of the command that was probably meant by two words that begin none, as people write them, or NULL; next may be
 * NULL. To be freed.
 */
char *command_nearest(const char *word, const char *next);

/* Whether a parameter has its place among the command's words, and is given without its name. */
bool command_has_place(const struct method *m, const char *name);

/* A line of help: what is typed, and what it means beside it, in lines of eighty columns. */
void command_help_line(const char *left, const char *sentence, FILE *out);

/* One command's usage, parameters and what it prints. */
void command_help(const struct command *c, FILE *out);

/* A completion script for bash. */
void command_completion(FILE *out);
