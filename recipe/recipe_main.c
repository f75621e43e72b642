/*
 * stead-recipe: for whoever writes a recipe. It reads files that its user may read anyway, talks to nobody, and holds
 * nothing; its compromise costs what its user has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "recipe/document.h"
#include "recipe/recipe.h"

static const char usage[] =
	"Usage: stead-recipe check FILE...   say whether recipes are right, and all that is wrong\n"
	"       stead-recipe schema          print the JSON Schema of recipes\n"
	"       stead-recipe reference       print what each key means\n";

/* What the daemons put up with in a file of before. Whether there is none of it. */
static bool check_whole(const struct recipe *recipe)
{
	bool whole = true;

	for (size_t i = 0; i < recipe->actions_count; i++) {
		if (!recipe->actions[i].off)
			continue;
		fprintf(stderr, "%s\n", recipe->actions[i].off);
		whole = false;
	}
	return whole;
}

/* No reason to fail: what is doubted may be meant for a day that comes. */
static void recipe_main_tell_doubts(const struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->doubts_count; i++)
		fprintf(stderr, "Doubtful: %s\n", recipe->doubts[i]);
}

static int check_files(char *const files[])
{
	int status = EXIT_SUCCESS;

	for (; *files; files++) {
		CLEANUP(recipe_unrefp) const struct recipe *recipe = NULL;

		if (recipe_check_file(*files, stderr, &recipe) < 0) {
			status = EXIT_FAILURE;
			continue;
		}
		recipe_main_tell_doubts(recipe);
		if (check_whole(recipe))
			printf("%s: %s, %zu action%s\n", *files, recipe->title, recipe->actions_count,
				recipe->actions_count == 1 ? "" : "s");
		else
			status = EXIT_FAILURE;
	}
	return status;
}

int main(int argc, char *argv[])
{
	if (argc >= 3 && strcmp(argv[1], "check") == 0)
		return check_files(argv + 2);
	if (argc == 2 && strcmp(argv[1], "schema") == 0)
		recipe_print_schema(stdout);
	else if (argc == 2 && strcmp(argv[1], "reference") == 0)
		recipe_print_reference(stdout);
	else if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		fputs(usage, stdout);
	else {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
