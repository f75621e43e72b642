#include "recipe/set.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/must.h"
#include "common/words.h"

#define MOST_TROUBLE 4400 /* bytes */

/* why: of the set's arena, or lives as long. */
static void add_trouble(struct recipe_set *s, const char *why)
{
	if (s->trouble_count < RECIPE_SET_MOST)
		s->troubles[s->trouble_count++] = why;
}

/* Takes r over. False when there can be no more, or it is there already. */
static bool set_add(struct recipe_set *s, const struct recipe *r)
{
	if (s->count == RECIPE_SET_MOST || recipe_find(s, r->name)) {
		recipe_unref(r);
		return false;
	}
	s->recipes[s->count++] = r;
	for (size_t i = 0; i < r->actions_count; i++)
		if (r->actions[i].off)
			add_trouble(s, r->actions[i].off);
	return true;
}

/* Puts what came of that file before, if anything did, in its place. */
static bool keep_former(struct recipe_set *s, const struct recipe_set *before, const char *path)
{
	const char *file = strrchr(path, '/') + 1;
	const char *name = arena_memdup(s->arena, file, strlen(file) - strlen(".json"));
	const struct recipe *r = before ? recipe_find(before, name) : NULL;

	return r && set_add(s, recipe_ref(r));
}

static void add_recipe(struct recipe_set *s, const struct recipe_set *before, const char *path)
{
	const struct recipe *recipe = NULL;
	char why[MOST_TROUBLE];

	if (recipe_load_file(path, &recipe, why, sizeof(why)) < 0) {
		add_trouble(s, words_new(s->arena, MOST_TROUBLE, "%s%s", why,
			keep_former(s, before, path) ? "; what it was before stays in force" : ""));
	} else if (s->count == RECIPE_SET_MOST) {
		recipe_unref(recipe);
		add_trouble(s, words_new(s->arena, MOST_TROUBLE, "%s: there are already %d recipes, which is all there can be", path,
			RECIPE_SET_MOST));
	} else {
		set_add(s, recipe);
	}
}

static int set_is_json(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

/* Whether there is such a directory. */
static bool add_dir(struct recipe_set *s, const struct recipe_set *before, const char *dir)
{
	struct dirent **entries;
	char path[4096];
	int n = scandir(dir, &entries, set_is_json, alphasort);

	if (n < 0 && errno == ENOENT)
		return false;
	if (n < 0) {
		add_trouble(s, words_new(s->arena, MOST_TROUBLE, "%s: cannot be read: %s%s", dir, strerror(errno),
			before ? "; what has been in force stays so" : ""));
		for (size_t i = 0; before && i < before->count; i++)
			set_add(s, recipe_ref(before->recipes[i]));
		return true;
	}
	for (int i = 0; i < n; i++) {
		if (exact_set(path, sizeof(path), "%s/%s", dir, entries[i]->d_name))
			add_recipe(s, before, path);
		else
			add_trouble(s, words_new(s->arena, MOST_TROUBLE, "%s: the path of a recipe in it is longer than paths can be", dir));
		free(entries[i]);
	}
	free(entries);
	return true;
}

static int by_title(const void *a, const void *b)
{
	const struct recipe *const *x = a, *const *y = b;

	return strcmp((*x)->title, (*y)->title);
}

struct recipe_set *recipe_load_dirs(const char *path, const struct recipe_set *before)
{
	struct recipe_set *s = must(calloc(1, sizeof(*s)));
	char *save, *copy;
	bool any = false;

	s->arena = arena_new(0);
	copy = arena_strdup(s->arena, path);
	for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
		any |= add_dir(s, before, dir);
	if (!any)
		add_trouble(s, words_new(s->arena, MOST_TROUBLE,
			"there are no recipes: none of %s is a directory; make one, or say in stead.conf where recipes are", path));
	qsort(s->recipes, s->count, sizeof(*s->recipes), by_title);
	return s;
}

struct recipe_set *recipe_set_free(struct recipe_set *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		recipe_unref(s->recipes[i]);
	arena_free(s->arena);
	free(s);
	return NULL;
}

const struct recipe *recipe_find(const struct recipe_set *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->recipes[i]->name, name) == 0)
			return s->recipes[i];
	}
	return NULL;
}
