/* All recipes of a daemon: those in force, and what was wrong with the others. */
#pragma once

#include <stddef.h>

#include "recipe/recipe.h"

struct recipe_set;

/*
 * Reads every *.json of the directories, which path names with colons between; of two recipes with the same name the
 * first counts. A recipe that is refused does not take the others down: its reason is kept. Never fails: a directory
 * that cannot be read is a trouble too, but for one that does not exist beside one that does. before: the set that has been in
 * force so far, or NULL; of a file that is refused, and of a directory that cannot be read, what came of it before stays.
 */
struct recipe_set *recipe_load_dirs(const char *path, const struct recipe_set *before);

/* Takes NULL, returns NULL. */
struct recipe_set *recipe_set_free(struct recipe_set *s);

/* By name, or NULL; and by number from 0, ordered by title. Borrowed from the set. */
const struct recipe *recipe_find(const struct recipe_set *s, const char *name);
size_t recipe_count(const struct recipe_set *s);
const struct recipe *recipe_at(const struct recipe_set *s, size_t i);

/* What was refused, and which actions of the others are off: sentences with file, line and key. Borrowed. */
size_t recipe_trouble_count(const struct recipe_set *s);
const char *recipe_trouble(const struct recipe_set *s, size_t i);
