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

static int parse_json(const char *file, const char *text, size_t n, json_t **ret, char *why, size_t size)
{
	json_error_t error;

	if (n > RECIPE_MOST_BYTES)
		return words_fail(-EINVAL, why, size, "%s: larger than %d bytes, which no recipe needs", file, RECIPE_MOST_BYTES);
	*ret = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (*ret)
		return 0;
	return words_fail(-EINVAL, why, size, "%s:%d: not well-formed JSON: %s%s", file, error.line > 0 ? error.line : 1, error.text,
		n >= 3 ? json_hint(text, error.text) : "");
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

	if (!a->list.none) {
		reading_fail(r, PLACE_KEY(place, "list"), "lacks \"none\": what the page shows when the list is empty, so that a page that has "
			"not come is never taken for an empty list; until it is there the action is off");
		a->off_means = "does not say how an empty list of bookings looks there; so Stead could book twice";
	} else if (!step_presses(act)) {
		reading_fail(r, PLACE_KEY(PLACE_INDEX(PLACE_KEY(place, "steps"), (size_t)(act - a->steps)), "act"),
			"%s presses nothing, so nothing that the page sends could be held back; mark the click, fill or choose that sends the "
			"booking off instead; until then the action is off", act->step);
		a->off_means = "names no press that sends the booking off; so Stead could book twice";
	} else {
		return;
	}
	a->off = arena_strdup(r->arena, r->why);
}

static void switch_off_actions(struct reading *r, struct recipe *recipe)
{
	struct place root = { 0 };

	for (size_t i = 0; i < recipe->actions_count; i++)
		switch_off(r, PLACE_KEY(PLACE_KEY(&root, "actions"), recipe->actions[i].name), &recipe->actions[i]);
}

/* What is told of a recipe that is read all the same. */
static void recipe_look_again(struct reading *r, struct recipe *recipe)
{
	char why[1024];

	r->why = why;
	r->size = sizeof(why);
	switch_off_actions(r, recipe);
	doubt_all(r, recipe);
}

int recipe_parse(const char *file, const char *text, size_t n, const struct recipe **ret, char *why, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct reading r = { .arena = arena, .file = file, .text = text, .length = n, .why = why, .size = size,
		.check = check_type };
	struct recipe *recipe = arena_alloc(arena, sizeof(*recipe));
	json_auto_t *json = NULL;
	struct place root = { 0 };
	const char *wrong;
	int e;

	*why = '\0';
	recipe->name = recipe_name_of(arena, file);
	wrong = strlen(recipe->name) > 64 ? "is too long" : format_check(FORMAT_NAME, recipe->name, false);
	if (wrong)
		return words_fail(-EINVAL, why, size, "%s: a site is called as its file is, and \"%s\" %s", file, recipe->name, wrong);
	e = parse_json(file, text, n, &json, why, size);
	if (e == 0)
		e = reading_struct(&r, &recipe_type, &root, json, recipe);
	if (e < 0)
		return e;
	recipe_look_again(&r, recipe);
	recipe->arena = TAKE(arena);
	recipe->references = 1;
	*ret = recipe;
	return 0;
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

int recipe_load_file(const char *path, const struct recipe **ret, char *why, size_t size)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(freep) char *text = must(malloc(RECIPE_MOST_BYTES + 1));
	ssize_t n;

	*why = '\0';
	n = fd < 0 ? -errno : recipe_read_all(fd, text, RECIPE_MOST_BYTES + 1); /* one more is too much, as recipe_parse() says */
	if (n < 0)
		return words_fail((int)n, why, size, "%s: cannot be read: %s", path, strerror((int)-n));
	return recipe_parse(path, text, (size_t)n, ret, why, size);
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
	struct reading r = { .arena = arena, .why = why, .size = size, .check = check_type };
	struct place root = { 0 };
	struct step s = { 0 };
	int e;

	*why = '\0';
	e = reading_struct(&r, &step_type, &root, json, &s);
	if (e == 0)
		*ret = s;
	return e;
}
