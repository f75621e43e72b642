#include "recipe/set.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/words.h"

#define MOST_RECIPES 256

struct recipe_set {
	struct recipe *recipes[MOST_RECIPES];
	size_t count;
	char *troubles[MOST_RECIPES];
	size_t trouble_count;
};

static void add_trouble(struct recipe_set *s, const char *why)
{
	if (s->trouble_count == MOST_RECIPES)
		return;
	s->troubles[s->trouble_count] = strdup(why);
	if (!s->troubles[s->trouble_count++])
		abort();
}

static void add_recipe(struct recipe_set *s, const char *path)
{
	struct recipe *recipe = NULL;
	char why[4400];

	if (recipe_load_file(path, &recipe, why, sizeof(why)) < 0) {
		add_trouble(s, why);
		return;
	}
	if (s->count < MOST_RECIPES && !recipe_find(s, recipe->name)) {
		s->recipes[s->count++] = recipe;
		for (size_t i = 0; i < recipe->actions_count; i++) {
			if (recipe->actions[i].off)
				add_trouble(s, recipe->actions[i].off);
		}
		return;
	}
	if (s->count == MOST_RECIPES) {
		words_set(why, sizeof(why), "%s: there are already %d recipes, which is all there can be", path,
			MOST_RECIPES);
		add_trouble(s, why);
	}
	recipe_free(recipe);
}

static int is_json(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

/* Whether there is such a directory. */
static bool add_dir(struct recipe_set *s, const char *dir)
{
	struct dirent **entries;
	char path[4096], why[4400];
	int n = scandir(dir, &entries, is_json, alphasort);

	if (n < 0 && errno == ENOENT)
		return false;
	if (n < 0) {
		words_set(why, sizeof(why), "%s: cannot be read: %s", dir, strerror(errno));
		add_trouble(s, why);
		return true;
	}
	for (int i = 0; i < n; i++) {
		if (exact_set(path, sizeof(path), "%s/%s", dir, entries[i]->d_name)) {
			add_recipe(s, path);
		} else {
			words_set(why, sizeof(why), "%s: the path of a recipe in it is longer than paths can be", dir);
			add_trouble(s, why);
		}
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

struct recipe_set *recipe_load_dirs(const char *path)
{
	struct recipe_set *s = calloc(1, sizeof(*s));
	char *copy = strdup(path), *save;
	bool any = false;

	if (!s || !copy)
		abort();
	for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
		any |= add_dir(s, dir);
	if (!any) {
		char why[4400];

		words_set(why, sizeof(why), "there are no recipes: none of %s is a directory; make one, or say in stead.conf where recipes are", path);
		add_trouble(s, why);
	}
	qsort(s->recipes, s->count, sizeof(*s->recipes), by_title);
	free(copy);
	return s;
}

struct recipe_set *recipe_set_free(struct recipe_set *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		recipe_free(s->recipes[i]);
	for (size_t i = 0; i < s->trouble_count; i++)
		free(s->troubles[i]);
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

size_t recipe_count(const struct recipe_set *s)
{
	return s->count;
}

const struct recipe *recipe_at(const struct recipe_set *s, size_t i)
{
	return i < s->count ? s->recipes[i] : NULL;
}

size_t recipe_trouble_count(const struct recipe_set *s)
{
	return s->trouble_count;
}

const char *recipe_trouble(const struct recipe_set *s, size_t i)
{
	return i < s->trouble_count ? s->troubles[i] : NULL;
}
