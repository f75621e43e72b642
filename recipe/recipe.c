#include "recipe/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/must.h"
#include "common/words.h"
#include "recipe/check.h"
#include "recipe/doubt.h"
#include "recipe/reading.h"
#include "recipe/step.h"

#define MOST_WHY 4400 /* a path and a sentence */

/* What the mistakes that people make most look like to a JSON parser. */
static const char *json_hint(const char *text, const char *said)
{
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		return " (the file begins with a byte order mark; save it without one)";
	if (strstr(said, "'}' expected near '\"") || strstr(said, "']' expected near '\""))
		return " (is there a comma before it?)";
	if (strstr(said, "near ']'") || strstr(said, "near '}'"))
		return " (is there a comma too many before it?)";
	if (strstr(said, "near '/'") || strstr(said, "near '#'"))
		return " (JSON has no comments)";
	if (strstr(said, "near '\''"))
		return " (JSON has no quotation marks but \")";
	return "";
}

/* NULL: it is none, which has been told; nothing else can be told of it then. */
static json_t *parse_json(struct reading *r)
{
	json_error_t error;
	json_t *json;

	if (r->length > RECIPE_MOST_BYTES) {
		mistakes_add(&r->mistakes, 0, "", arena_printf(r->arena, "larger than %d bytes, which no recipe needs", RECIPE_MOST_BYTES));
		return NULL;
	}
	json = json_loadb(r->text, r->length, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		mistakes_add(&r->mistakes, error.line > 0 ? (unsigned)error.line : 1, "",
			arena_printf(r->arena, "not well-formed JSON: %s%s", error.text,
				r->length >= 3 ? json_hint(r->text, error.text) : ""));
	return json;
}

/* "sites/desk.json" is called desk. */
static const char *recipe_name_of(struct arena *arena, const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	size_t n = strlen(base);

	if (n > 5 && strcmp(base + n - 5, ".json") == 0)
		n -= 5;
	return arena_memdup(arena, base, n);
}

static void check_name(struct reading *r, const char *name)
{
	const char *wrong = strlen(name) > 64 ? "is too long" : format_check(FORMAT_NAME, name, false);

	if (wrong)
		mistakes_add(&r->mistakes, 0, "",
			words_new(r->arena, MOST_WHY, "a site is called as its file is, and \"%s\" %s", name, wrong));
}

static const struct step *act_of(const struct recipe_action *a)
{
	const struct step *s = a->steps;

	while (!s->act) /* check_action() has seen one */
		s++;
	return s;
}

/* Of an action, in a file of before: what is wrong, and where. */
static void switch_off(struct reading *r, const struct place *place, struct recipe_action *a)
{
	const struct step *act = act_of(a);

	if (!a->list.none && step_kind(&a->list.steps[a->list.steps_count - 1]) != STEP_request) {
		reading_fail(r, PLACE_KEY(place, "list"), "lacks \"none\": what the page shows when the list is empty, so that a page that has "
			"not come is never taken for an empty list; until it is there the action is off");
		a->off_means = "does not say how an empty list of bookings looks there; so Stead could book twice";
	} else if (!step_presses(act)) {
		reading_fail(r, PLACE_KEY(PLACE_INDEX(PLACE_KEY(place, "steps"), (size_t)(act - a->steps)), "act"),
			"%s presses nothing, so nothing that the page sends could be held back; mark the step that presses, and so "
			"sends the booking off, instead; until then the action is off", act->step);
		a->off_means = "names no press that sends the booking off; so Stead could book twice";
	} else {
		return;
	}
	a->off = reading_take(r);
}

static void switch_off_actions(struct reading *r, struct recipe *recipe)
{
	struct place root = { 0 };

	for (size_t i = 0; i < recipe->actions_count; i++)
		switch_off(r, PLACE_KEY(PLACE_KEY(&root, "actions"), recipe->actions[i].name), &recipe->actions[i]);
}

/* NULL: something is wrong, and all of it has been told. The recipe has the reading's arena then. */
static struct recipe *recipe_read(struct reading *r)
{
	struct recipe *recipe = arena_alloc(r->arena, sizeof(*recipe));
	json_auto_t *json = parse_json(r);
	struct place root = { 0 };

	recipe->name = recipe_name_of(r->arena, r->file);
	check_name(r, recipe->name);
	if (json)
		reading_struct(r, &recipe_type, &root, json, recipe);
	mistakes_sort(&r->mistakes);
	if (mistakes_total(&r->mistakes))
		return NULL;
	switch_off_actions(r, recipe); /* what is told of a recipe that is read all the same */
	doubt_all(r, recipe);
	recipe->arena = TAKE(r->arena);
	recipe->references = 1;
	return recipe;
}

static void recipe_end_reading(struct reading *r)
{
	r->arena = arena_free(r->arena);
}

/* file and text are borrowed. */
static struct reading reading_begin(const char *file, const char *text, size_t n)
{
	return (struct reading){ .arena = arena_new(0), .file = file, .text = text, .length = n, .check = check_type };
}

int recipe_parse(const char *file, const char *text, size_t n, const struct recipe **ret, char *why, size_t size)
{
	CLEANUP(recipe_end_reading) struct reading r = reading_begin(file, text, n);
	struct recipe *recipe = recipe_read(&r);
	size_t more;

	*why = '\0';
	if (recipe) {
		*ret = recipe;
		return 0;
	}
	words_set(why, size, "%s", mistake_words(r.arena, file, &r.mistakes.items[0]));
	more = mistakes_total(&r.mistakes) - 1;
	if (more)
		words_add(why, size, ", and %zu more mistake%s, which \"stead-recipe check\" tells", more, more > 1 ? "s" : "");
	return -EINVAL;
}

/* At most size bytes. */
static ssize_t recipe_read_all(int fd, char *out, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = TEMP_FAILURE_RETRY(read(fd, out + n, size - n));
		if (got <= 0)
			return got < 0 ? -errno : (ssize_t)n;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

/* A negative errno: it cannot be read, and why says why. text: RECIPE_MOST_BYTES + 1, for one more is too much. */
static ssize_t recipe_read_file(const char *path, char *text, char *why, size_t size)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -errno : recipe_read_all(fd, text, RECIPE_MOST_BYTES + 1);

	*why = '\0';
	return n < 0 ? words_fail((int)n, why, size, "%s: cannot be read: %s", path, strerror((int)-n)) : n;
}

int recipe_load_file(const char *path, const struct recipe **ret, char *why, size_t size)
{
	CLEANUP(freep) char *text = must(malloc(RECIPE_MOST_BYTES + 1));
	ssize_t n;

	*why = '\0';
	n = recipe_read_file(path, text, why, size);
	return n < 0 ? (int)n : recipe_parse(path, text, (size_t)n, ret, why, size);
}

int recipe_check_file(const char *path, FILE *out, const struct recipe **ret)
{
	CLEANUP(freep) char *text = must(malloc(RECIPE_MOST_BYTES + 1));
	char why[MOST_WHY];
	ssize_t n = recipe_read_file(path, text, why, sizeof(why));
	CLEANUP(recipe_end_reading) struct reading r = reading_begin(path, text, n < 0 ? 0 : (size_t)n);
	struct recipe *recipe = n < 0 ? NULL : recipe_read(&r);

	if (n < 0)
		fprintf(out, "%s\n", why);
	for (size_t i = 0; i < r.mistakes.count; i++)
		fprintf(out, "%s\n", mistake_words(r.arena, path, &r.mistakes.items[i]));
	if (r.mistakes.more)
		fprintf(out, "%s: %zu more mistakes\n", path, r.mistakes.more);
	if (recipe)
		*ret = recipe;
	return recipe ? 0 : n < 0 ? (int)n : -EINVAL;
}

/* All but the count is read only once it has been read. */
const struct recipe *recipe_ref(const struct recipe *r)
{
	if (r)
		((struct recipe *)r)->references++;
	return r;
}

const struct recipe *recipe_unref(const struct recipe *r)
{
	if (r && --((struct recipe *)r)->references == 0)
		arena_free(r->arena);
	return NULL;
}

void recipe_unrefp(const struct recipe **r)
{
	*r = recipe_unref(*r);
}

int step_parse(struct arena *arena, const json_t *json, struct step *ret, char *why, size_t size)
{
	struct reading r = { .arena = arena, .check = check_type };
	struct place root = { 0 };
	struct step s = { 0 };

	*why = '\0';
	reading_struct(&r, &step_type, &root, json, &s);
	if (mistakes_total(&r.mistakes))
		return words_fail(-EINVAL, why, size, "%s", mistake_words(arena, NULL, &r.mistakes.items[0]));
	*ret = s;
	return 0;
}
