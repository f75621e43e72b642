/* All recipes of a daemon: those in force, and what was wrong with the others. */
#pragma once

#include <stddef.h>

#include "recipe/recipe.h"

#define RECIPE_SET_MOST 256

struct recipe_set {
	const struct recipe *recipes[RECIPE_SET_MOST]; /* those in force, ordered by title */
	size_t count;
	const char *troubles[RECIPE_SET_MOST]; /* what was refused, and which actions of the others are off: file, line and key */
	size_t trouble_count;
	struct arena *arena; /* of the troubles */
};

/*
 * Reads every *.json of the directories, which path names with colons between; of two recipes with the same name the
 * first counts. A recipe that is refused does not take the others down: its reason is kept. Never fails: a directory
 * that cannot be read is a trouble too, but for one that does not exist beside one that does. before: the set that has been in
 * force so far, or NULL; of a file that is refused, and of a directory that cannot be read, what came of it before stays.
 */
struct recipe_set *recipe_load_dirs(const char *path, const struct recipe_set *before);

/* Takes NULL, returns NULL. */
struct recipe_set *recipe_set_free(struct recipe_set *s);

/* By name, or NULL. Borrowed from the set. */
const struct recipe *recipe_find(const struct recipe_set *s, const char *name);
