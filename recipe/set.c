#include "recipe/set.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/words.h"

#define MOST_RECIPES 256

struct recipe_set {
	const struct recipe *recipes[MOST_RECIPES];
	const struct recipe_set *before; /* while it is read; NULL: none */
	size_t count;
	char *troubles[MOST_RECIPES];
	size_t trouble_count;
};

static void add_trouble(struct recipe_set *s, const char *why)
{
	if (s->trouble_count == MOST_RECIPES)
		return;
	s->troubles[s->trouble_count++] = must(strdup(why));
}

/* Takes r over. False when there can be no more, or it is there already. */
static bool set_add(struct recipe_set *s, const struct recipe *r)
{
	if (s->count == MOST_RECIPES || recipe_find(s, r->name)) {
		recipe_unref(r);
		return false;
	}
	s->recipes[s->count++] = r;
	for (size_t i = 0; i < r->actions_count; i++)
		if (r->actions[i].off)
			add_trouble(s, r->actions[i].off);
	return true;
}

/* The one of the file that came of it before, if it did. */
static const struct recipe *recipe_before(const struct recipe_set *s, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	size_t n = strlen(name) - strlen(".json");

	for (size_t i = 0; s->before && i < s->before->count; i++) {
		const struct recipe *r = s->before->recipes[i];
		if (strlen(r->name) == n && strncmp(r->name, name, n) == 0)
			return r;
	}
	return NULL;
}

static void add_recipe(struct recipe_set *s, const char *path)
{
	const struct recipe *recipe = NULL, *before;
	char why[4400];

	if (recipe_load_file(path, &recipe, why, sizeof(why)) < 0) {
		before = recipe_before(s, path);
		if (before && set_add(s, recipe_ref(before)))
			words_add(why, sizeof(why), "; what it was before stays in force");
		add_trouble(s, why);
	} else if (s->count == MOST_RECIPES) {
		recipe_unref(recipe);
		words_set(why, sizeof(why), "%s: there are already %d recipes, which is all there can be", path, MOST_RECIPES);
		add_trouble(s, why);
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
static bool add_dir(struct recipe_set *s, const char *dir)
{
	struct dirent **entries;
	char path[4096], why[4400];
	int n = scandir(dir, &entries, set_is_json, alphasort);

	if (n < 0 && errno == ENOENT)
		return false;
	if (n < 0) {
		words_set(why, sizeof(why), "%s: cannot be read: %s%s", dir, strerror(errno),
			s->before ? "; what has been in force stays so" : "");
		add_trouble(s, why);
		for (size_t i = 0; s->before && i < s->before->count; i++)
			set_add(s, recipe_ref(s->before->recipes[i]));
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

struct recipe_set *recipe_load_dirs(const char *path, const struct recipe_set *before)
{
	struct recipe_set *s = must(calloc(1, sizeof(*s)));
	char *copy = must(strdup(path)), *save;
	bool any = false;

	s->before = before;
	for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
		any |= add_dir(s, dir);
	if (!any) {
		char why[4400];

		words_set(why, sizeof(why), "there are no recipes: none of %s is a directory; make one, or say in stead.conf where recipes are", path);
		add_trouble(s, why);
	}
	s->before = NULL;
	qsort(s->recipes, s->count, sizeof(*s->recipes), by_title);
	free(copy);
	return s;
}

struct recipe_set *recipe_set_free(struct recipe_set *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		recipe_unref(s->recipes[i]);
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
