/* Recipes read strictly: what is refused, and with which line and words. Runs in the root of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "recipe/document.h"
#include "recipe/input.h"
#include "recipe/key.h"
#include "recipe/set.h"
#include "recipe/step.h"

#define DESK "tests/sites/desk.json"
#define PRESS "\"step\": \"click\", \"at\": { \"role\": \"button\", \"text\": \"Book Now\" }"

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 300000);

	assert_non_null(f);
	assert_true(fread(text, 1, 299999, f) > 0);
	fclose(f);
	return text;
}

/* The recipe of the stand-in with one piece replaced. */
static char *with(const char *old, const char *new)
{
	CLEANUP(freep) char *text = slurp(DESK);
	char *at = strstr(text, old), *out;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
	return out;
}

static unsigned line_of(const char *text, const char *what)
{
	const char *at = strstr(text, what);
	unsigned line = 1;

	assert_non_null(at);
	for (const char *c = text; c < at; c++)
		line += *c == '\n';
	return line;
}

struct refused {
	const char *old, *new, *at, *words; /* at: text that stands on the line which must be named */
};

static void assert_refused(const struct refused *t)
{
	CLEANUP(freep) char *text = with(t->old, t->new);
	const struct recipe *recipe = NULL;
	char why[2048] = "", line[64];

	assert_int_equal(recipe_parse("sites/desk.json", text, strlen(text), &recipe, why, sizeof(why)), -EINVAL);
	assert_null(recipe);
	snprintf(line, sizeof(line), "sites/desk.json:%u: ", line_of(text, t->at));
	if (strncmp(why, line, strlen(line)) != 0 || !strstr(why, t->words))
		fail_msg("wanted \"%s...%s\", got \"%s\"", line, t->words, why);
	if (strstr(why, "more mistake")) /* one slip, one sentence: what only follows from it is none */
		fail_msg("more than \"%s\" is told: %s", t->words, why);
}

static void test_refused(void **state)
{
	static const struct refused rows[] = {
		{ "\"title\": \"Deskwise\",", "\"titel\": \"Deskwise\",", "titel",
			"titel: unknown key \"titel\"; did you mean \"title\"?" },
		{ "\"home\"", "\"zzzzzz\": 7, \"home\"", "zzzzzz", "there are title, home, sign_in" },
		{ "{", "{ \"$schema\": 7,", "$schema", "$schema: takes a string" },
		{ "{", "{ \"$schama\": \"x\",", "$schama", "did you mean \"$schema\"?" },
		{ "\"title\": \"Deskwise\",", "", "{", "lacks \"title\": The site's name." },
		{ "\"Deskwise\"", "7", "\"title\": 7", "title: takes a string" },
		{ "\"Deskwise\"", "\"\"", "\"title\": \"\"", "title: \"\" is empty" },
		{ "\"Deskwise\"", "\"a\\u0007\"", "\"title\"",
			"title: \"a\" is followed by a control character" },
		{ "\"widgets.test\"]", "\"*.test\"]", "*.test\"]", "hosts[3]: \"*.test\" is too wide" },
		{ "\"widgets.test\"]", "\"wid gets\"]", "wid gets", "hosts[3]: \"wid gets\" is not a host" },
		{ "\"127.0.0.1\"", "\"127.0.0\"", "\"127.0.0\"", "private_addresses[0]" },
		{ "\"https://desk.test/finder*\"", "\"desk.test/finder*\"", "\"desk.test/finder*\"",
			"signed_in.url[0]" },
		{ "\"quiet_ms\": 2000", "\"quiet_ms\": 1", "quiet_ms", "whole number from 100 to 30000" },
		{ "\"quiet_ms\": 2000", "\"quiet_ms\": 20000", "settle", "cap_ms must be more than quiet_ms" },
		{ "\"locale\": \"en-US\"", "\"locale\": \"English\"", "English", "environment.locale" },
		{ "\"time_zone\": \"UTC\"", "\"time_zone\": \"../passwd\"", "passwd", "environment.time_zone" },
		{ "\"out\": { \"url\"", "\"out\": { \"uri\"", "uri", "did you mean \"url\"?" },
		{ "\"out\": { \"url\"", "\"out\":\n{\n\"uri\"", "\"uri\"", "did you mean \"url\"?" },
		{ "#who\" } },\n\t\t\"out\"", "#{who}\" } },\n\t\t\"out\"", "{who}", "known in actions only" },
		{ "\"step\": \"click\"", "\"step\": \"clik\"", "clik", "did you mean \"click\"?" },
		{ "\"step\": \"fill\", \"at\"", "\"step\": \"fill\", \"url\": \"https://desk.test/\", \"at\"",
			"\"fill\"", "url: has no meaning for fill" },
		{ ", \"value\": \"{note}\"", "", "\"fill\"", "fill needs value" },
		{ "{ \"css\": \"#note\" }", "{ \"exact\": true }", "\"exact\"", "names no element" },
		{ "[role=gridcell]", "[role=gridcell", "gridcell", "brackets do not match" },
		{ "\"{note}\"", "\"{nose}\"", "{nose}", "unknown variable {nose}; did you mean {note}?" },
		{ "\"{note}\"", "\"{note|%Y}\"", "{note|", "but it is no date" },
		{ "go to building {building}", "go to {date|%Q}", "%Q", "date format" },
		{ "floor/{floor}\",", "floor/{floor\",", "{floor\"", "a brace that is no variable" },
		{ "https://desk.test/finder/building", "https://{desk}/finder/building", "https://{desk}",
			"needs its host before the first variable" },
		{ ", \"act\": true", "", "\"steps\": [\n\t\t\t\t{ \"step\": \"open\", \"url\": "
			"\"https://desk.test/finder/building", "exactly one step must say \"act\": true" },
		{ "\"cell\": \"desk\"", "\"cell\": \"dusk\"", "\"say\": \"read your bookings\"", "lack \"dusk\"" },
		{ "\"outcome\": \"full\"", "\"outcome\": \"ful\"", "\"ful\"", "did you mean \"full\"?" },
		{ "\"name\": \"note\", \"type\": \"text\"", "\"name\": \"desk\", \"type\": \"text\"",
			"For the reception", "the name of two inputs" },
		{ "\"value\": \"2\"", "\"value\": \"9\"", "\"9\"", "none of the choices" },
		{ "\"choices\": [\"1\", \"2\"], ", "", "1 is North House", "a choice without choices" },
		{ "\"2\", \"3\"]", "\"2\", \"3\"], \"labels\": [\"North\"]", "North\"", "labels: are 1, and the choices 3" },
		{ "\"2\", \"3\"]", "\"2\", \"3\"], \"labels\": [\"2\", \"b\", \"c\"]", "\"b\"", "labels[0]: \"2\" could be another choice" },
		{ "\"2\", \"3\"]", "\"2\", \"3\"], \"labels\": [\"A\", \"A\", \"3\"]", "\"A\"", "labels[1]: \"A\" could be another choice" },
		{ "\"{note}\"", "\"{note|label}\"", "{note|", "wants the label of {note}, but it is no choice" },
		{ "\"{note}\"", "\"{date|label}\"", "{date|label", "wants the label of {date}" },
		{ "\"book\": {", "\"Book!\": {", "Book!", "is not a name" },
		{ "\"title\": \"Deskwise\",", "\"title\": \"Deskwise\", \"title\": \"x\",", "Deskwise",
			"not well-formed JSON" },
		{ "\"home\": \"https://desk.test/\",", "\"home\": \"https://desk.test/\"", "sign_in",
			"not well-formed JSON: '}' expected near '\"sign_in\"' (is there a comma before it?)" },
		{ "\"home\": \"https://desk.test/\",", "\"home\": \"https://desk.test/\", // here", "// here",
			"JSON has no comments" },
		{ "\"widgets.test\"]", "\"widgets.test\",]", "\"widgets.test\",]", "a comma too many" },
		{ "\"title\": \"Deskwise\"", "'title': \"Deskwise\"", "'title'", "no quotation marks but \"" },
		{ "\"https://desk.test/login\"", "\"https://desks.test/login\"", "desks.test",
			"sign_in.url: \"https://desks.test/login\" is on desks.test, which is none of hosts" },
		{ "\"url\": \"https://desk.test/finder\",\n", "\"url\": \"https://desks.test/\",\n", "desks.test",
			"probe.url: \"https://desks.test/\" is on desks.test" },
		{ "\"url\": \"https://desk.test/finder\",\n", "\"url\": \"https://desk.test/of/{account}\",\n", "of/{account}",
			"probe.url: \"https://desk.test/of/{account}\" has a brace; variables are known in actions only" },
		{ "\"url\": \"https://desk.test/login\"", "\"url\": \"https://desk.test/{account}\"", "test/{account}",
			"sign_in.url: \"https://desk.test/{account}\" has a brace" },
		{ "\"https://desk.test/login\"", "\"https://desk.test:8443/login\"", "test:8443",
			"sign_in.url: \"https://desk.test:8443/login\" is at port 8443; hosts without a port are their ports 80 and 443, so add \"desk.test:8443\"" },
		{ "https://desk.test/finder/building", "https://desks.test/finder/building", "desks.test",
			"actions.book.steps[0].url: " },
		{ "providers\": [\"sso.test\"]", "providers\": [\"sso.desks.test\"]", "sso.desks.test",
			"identity_providers[0]: \"sso.desks.test\" is none of hosts" },
		{ "\"at\": { \"css\": \".calendar\" }", "\"page\": \"https://desk.test/{date}\"", "test/{date}",
			"a pattern takes no variables" },
		{ "\"name\": \"note\"", "\"name\": \"account\"", "\"name\": \"account\"", "is a variable that is always there" },
		{ "\"name\": \"note\"", "\"name\": \"my-note\"", "my-note", "_ will do" },
		{ "\"in\": { \"at\": { \"css\": \"body[data-ready=yes] #who\" } }", "\"in\": {}", "\"in\": {}", "probe.in: names nobody" },
		{ "\"in\": { \"at\": { \"css\": \"body[data-ready=yes] #who\" } }", "\"in\": { \"account\": { \"is\": \"x\" } }", "\"is\"", "probe.in: shows nothing that the site has said" },
		{ "\"css\": \"body[data-ready=yes] #who\" } },\n\t\t\"out\"", "\"css\": \"#who\" }, \"account\": { \"is\": \"x\", \"answer\": \"https://desk.test/me\" } },\n\t\t\"out\"",
			"\"is\"", "probe.in.account: takes one of at, local_storage" },
		{ "\"css\": \"body[data-ready=yes] #who\" } },\n\t\t\"out\"", "\"css\": \"#who\" }, \"account\": { \"is\": \"x\", \"pointer\": \"/a\" } },\n\t\t\"out\"",
			"\"is\"", "probe.in.account.is: is the name itself" },
		{ "\"css\": \"body[data-ready=yes] #who\" } },\n\t\t\"out\"", "\"css\": \"#who\" }, \"account\": { \"cookie\": { \"name\": \"x\" }, \"pointer\": \"a\" } },\n\t\t\"out\"",
			"cookie\": {", "probe.in.account.pointer: \"a\" is not a JSON Pointer" },
		{ "{ \"css\": \"#note\" }", "{ \"css\": \"#note\", \"hidden\": true }", "\"hidden\"", "at.hidden: is no element that can be pressed; fill" },
		{ "\"inputs\": [", "\"input\": [", "\"input\"", "unknown key \"input\"; did you mean \"inputs\"?" },
		{ "\"complaints\": [", "\"complaint\": [", "\"complaint\"", "did you mean \"complaints\"?" },
		{ "\"hosts\": [", "\"host\": [", "\"host\"", "did you mean \"hosts\"?" },
		{ "\"none\": {", "\"nome\": {", "nome", "did you mean \"none\"?" },
		{ "\"none\": {", "\"none\": { \"frame\": \"https://desk.test/x\",", "\"none\"", "none.frame: is looked for where the rows are" },
		{ "\"none\": { \"css\": \"#my", "\"none\": { \"css\": \"#{me}\", \"text\": \"#my", "{me}", "unknown variable {me}" },
		{ "\"none\": {", "\"long_polls\": [\"desk.test/news\"], \"none\": {", "desk.test/news", "list.long_polls[0]: \"desk.test/news\"" },
		{ "\"all\": true,", "\"all\": true, \"none\": { \"css\": \"p\" },", "\"none\"", "none: unknown key \"none\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_refused(&rows[i]);
}

static void test_good(void **state)
{
	static const char *const files[] = { DESK, "sites/spaceiq.json" };
	char why[2048] = "";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
		if (recipe_load_file(files[i], &r, why, sizeof(why)) < 0)
			fail_msg("%s", why);
		assert_non_null(recipe_action_find(r, "book"));
		assert_null(recipe_action_find(r, "book")->off);
		assert_null(recipe_action_find(r, "boo"));
		assert_true(r->probe.timeout_ms >= 20000);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A file of before: the site and its sessions go on, but nothing is done there, and whoever looks is told what to mend where. */
static void assert_off(const char *from, const char *to, const char *at, const char *words)
{
	char dir[] = "/tmp/stead-recipes-XXXXXX", command[256], line[128];
	CLEANUP(freep) char *old = with(from, to);
	const struct recipe_action *a;
	struct recipe_set *set;

	assert_non_null(mkdtemp(dir));
	write_file(dir, "old.json", old);
	set = recipe_load_dirs(dir, NULL);
	assert_int_equal(set->count, 1);
	a = recipe_action_find(set->recipes[0], "book");
	snprintf(line, sizeof(line), "/old.json:%u: actions.book.%s", line_of(old, at), words);
	assert_non_null(a->off);
	assert_non_null(a->off_means);
	assert_non_null(strstr(a->off, line));
	assert_int_equal(set->trouble_count, 1);
	assert_string_equal(set->troubles[0], a->off);
	recipe_set_free(set);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void test_without_mark(void **state)
{
	(void)state;
	assert_off("\"none\": { \"css\": \"#my_bookings[aria-busy=false] .empty\" },\n", "", "\"list\": {", "list: lacks \"none\": ");
}

/* What streamd holds back begins with a press (streamd/browser/act.h). */
static void test_act_without_press(void **state)
{
	static const char *const steps[] = {
		"\"step\": \"open\", \"url\": \"https://desk.test/\"",
		"\"step\": \"wait_for\", \"at\": { \"css\": \"#book_desk\" }",
		"\"step\": \"read\", \"at\": { \"css\": \"#book_desk\" }",
		"\"step\": \"picture\"",
		"\"step\": \"expect\", \"page\": \"https://desk.test/\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		char words[64];
		const char *end = strchr(steps[i] + 9, '"');

		snprintf(words, sizeof(words), "steps[9].act: %.*s presses nothing", (int)(end - steps[i] - 9), steps[i] + 9);
		assert_off(PRESS, steps[i], "\"act\": true", words);
	}
}

struct doubted {
	const char *old, *new, *at, *words; /* words: NULL, nothing is doubted */
};

static void assert_doubted(const struct doubted *t)
{
	CLEANUP(freep) char *text = with(t->old, t->new);
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
	char why[2048] = "", line[64];

	if (recipe_parse("desk.json", text, strlen(text), &r, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_int_equal(r->doubts_count, t->words ? 1 : 0);
	if (!t->words)
		return;
	snprintf(line, sizeof(line), "desk.json:%u: ", line_of(text, t->at));
	if (strncmp(r->doubts[0], line, strlen(line)) != 0 || !strstr(r->doubts[0], t->words))
		fail_msg("wanted \"%s...%s\", got \"%s\"", line, t->words, r->doubts[0]);
}

/* What can be read, and can never work: a page on a host that no browser gets to, a host that none may dial. */
static void test_doubts(void **state)
{
	static const struct doubted rows[] = {
		{ "", "", "", NULL },
		{ "\"https://desk.test/login*\"", "\"https://old.test/login*\"", "old.test",
			"probe.out.url[0]: \"https://old.test/login*\" is on old.test, which is none of hosts" },
		{ "\"https://desk.test/login*\"", "\"https://desk.test:8443/login*\"", "8443",
			"is at port 8443; hosts without a port are their ports 80 and 443, so add \"desk.test:8443\"; so nothing ever fits it" },
		{ "\"https://desk.test/login*\"", "\"https://*.old.test/login*\"", "", NULL },
		{ "\"widgets.test\"]", "\"widgets.test\", \"localhost:8080\"]", "localhost:8080", NULL },
		{ "\"widgets.test\"]", "\"widgets.test\", \"10.1.2.3\"]", "10.1.2.3",
			"\"10.1.2.3\" is reached by no browser. It is at 10.1.2.3, " },
		{ "\"widgets.test\"],\n\t\"private_addresses\": [\"127.0.0.1\"],", "\"localhost:8080\", \"widgets.test\"],",
			"localhost", "\"localhost:8080\" is reached by no browser. It is at 127.0.0.1, " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_doubted(&rows[i]);
}

static void test_absent(void **state)
{
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
	CLEANUP(freep) char *text = with("\"settle\": { \"quiet_ms\": 2000, \"cap_ms\": 20000 },", "");
	char why[2048] = "";

	(void)state;
	assert_int_equal(recipe_parse("desk.json", text, strlen(text), &r, why, sizeof(why)), 0);
	assert_int_equal(r->settle.quiet_ms, 2500);
	assert_int_equal(r->settle.cap_ms, 20000);
	assert_int_equal(r->capture.origins_count, 0);
	assert_string_equal(r->name, "desk");
	assert_true(recipe_allows_host(r, "api.desk.test"));
	assert_false(recipe_allows_host(r, "desk.test.evil.test"));
	assert_true(recipe_is_provider(r, "https://sso.test/interaction/1"));
	assert_false(recipe_is_provider(r, "https://desk.test/"));
}

/* What was found stays for whoever holds it; a file that has become wrong leaves what it was, one that is gone nothing. */
static void test_loaded_anew(void **state)
{
	CLEANUP(freep) char *text = slurp(DESK);
	char dir[] = "/tmp/stead-recipes-XXXXXX", path[200];
	struct recipe_set *set, *next;
	const struct recipe *held;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "desk.json", text);
	write_file(dir, "other.json", text);
	set = recipe_load_dirs(dir, NULL);
	assert_int_equal(set->count, 2);
	held = recipe_ref(recipe_find(set, "desk"));

	write_file(dir, "desk.json", "{ \"title\": ");
	snprintf(path, sizeof(path), "%s/other.json", dir);
	unlink(path);
	next = recipe_load_dirs(dir, set);
	recipe_set_free(set);
	assert_ptr_equal(recipe_find(next, "desk"), held);
	assert_null(recipe_find(next, "other"));
	assert_int_equal(next->trouble_count, 1);
	assert_non_null(strstr(next->troubles[0], "/desk.json:1: "));
	assert_non_null(strstr(next->troubles[0], "; what it was before stays in force"));

	set = next;
	write_file(dir, "desk.json", text);
	next = recipe_load_dirs(dir, set);
	recipe_set_free(set);
	assert_int_equal(next->trouble_count, 0);
	assert_ptr_not_equal(recipe_find(next, "desk"), held);
	assert_string_equal(held->name, "desk"); /* whoever began with it ends with it */
	recipe_unref(held);
	recipe_set_free(next);
	snprintf(path, sizeof(path), "%s/desk.json", dir);
	unlink(path);
	rmdir(dir);
}

static void test_too_large(void **state)
{
	CLEANUP(freep) char *text = malloc(RECIPE_MOST_BYTES + 1);
	const struct recipe *r = NULL;
	char why[2048] = "";

	(void)state;
	memset(text, ' ', RECIPE_MOST_BYTES + 1);
	assert_int_equal(recipe_parse("desk.json", text, RECIPE_MOST_BYTES + 1, &r, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "larger than"));
	assert_int_equal(recipe_load_file("/nonexistent.json", &r, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent.json: cannot be read"));
}

static void test_set(void **state)
{
	char dir[] = "/tmp/stead-recipes-XXXXXX", command[128], path[128];
	CLEANUP(freep) char *good = slurp(DESK), *bad = with("\"hosts\"", "\"host\"");
	struct recipe_set *set;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "good.json", good);
	write_file(dir, "bad.json", bad);
	write_file(dir, "notes.txt", "not a recipe");
	snprintf(path, sizeof(path), "%s:/nonexistent:sites:%s", dir, dir);
	set = recipe_load_dirs(path, NULL);
	assert_int_equal(set->count, 2);
	assert_string_equal(set->recipes[0]->name, "good");
	assert_string_equal(set->recipes[1]->name, "spaceiq");
	assert_non_null(recipe_find(set, "good"));
	assert_null(recipe_find(set, "bad"));
	assert_int_equal(set->trouble_count, 2); /* bad, read twice */
	assert_non_null(strstr(set->troubles[0], "bad.json:5: host: unknown key \"host\""));
	recipe_set_free(set);
	set = recipe_load_dirs("/nonexistent", NULL);
	assert_int_equal(set->count, 0);
	assert_non_null(strstr(set->troubles[0], "none of /nonexistent is a directory"));
	recipe_set_free(set);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static struct variables sample(struct arena *arena, const struct recipe_action *a, json_t *inputs)
{
	return inputs_variables(arena, a, inputs, "2025-11-18", "alice@example.test");
}

/* The step that reads the list, with what botd adds to it. */
static void assert_filled_list(struct arena *arena, const struct recipe_action *a, const struct variables *v)
{
	const char *polls[] = { "https://desk.test/news*" };
	struct step step = a->list.steps[a->list.steps_count - 1], s;
	json_auto_t *json = NULL;
	char why[512];

	step.none = a->list.none;
	step.long_polls = polls;
	step.long_polls_count = 1;
	assert_int_equal(step_fill(&step, v, &json, why, sizeof(why)), 0);
	if (step_parse(arena, json, &s, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_int_equal(s.long_polls_count, 1);
	assert_string_equal(s.long_polls[0], polls[0]);
	assert_non_null(s.none);
}

/* What botd fills in is what streamd reads, for every step of the recipe. */
static void test_fill(void **state)
{
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	json_auto_t *inputs = json_pack("{s:s, s:s, s:s, s:s, s:s}", "date", "2025-11-20", "desk", "D\"]{x}",
		"building", "1", "floor", "2/../..", "note", "{date} is {{odd}}");
	const struct recipe_action *a;
	struct variables v;
	char why[512];

	(void)state;
	assert_int_equal(recipe_load_file(DESK, &r, why, sizeof(why)), 0);
	a = recipe_action_find(r, "book");
	v = sample(arena, a, inputs);
	for (size_t i = 0; i < a->steps_count; i++) {
		json_auto_t *json = NULL;
		struct step s;

		assert_int_equal(step_fill(&a->steps[i], &v, &json, why, sizeof(why)), 0);
		if (step_parse(arena, json, &s, why, sizeof(why)) < 0)
			fail_msg("%s", why);
		assert_int_equal(step_kind(&s), step_kind(&a->steps[i]));
		assert_true(s.timeout_ms > 0);
		assert_null(s.say);
		if (i == 0)
			assert_string_equal(s.url, "https://desk.test/finder/building/1/floor/2%2F..%2F..");
		if (i == 3)
			assert_string_equal(s.at->css,
				"div[role=gridcell][aria-label=\"Thu\\20 Nov\\20 20\\20 2025\"][aria-disabled=false]");
		if (i == 6)
			assert_string_equal(s.at->css, "#floorImage circle[data-desk=\"D\\22 \\5d \\7b x\\7d \"]");
		if (i == 8)
			assert_string_equal(s.value, "{date} is {{odd}}");
	}
	assert_filled_list(arena, a, &v);
	assert_string_equal(step_words(arena, &a->steps[6], &v), "choose desk D\"]{x}");
	struct step unsaid = a->steps[0];

	unsaid.say = NULL; /* an address in words is one, whatever is asked for: white space would end it */
	assert_string_equal(step_words(arena, &unsaid, &v), "open https://desk.test/finder/building/1/floor/2%2F..%2F..");
}

static void test_step_refused(void **state)
{
	static const struct {
		const char *json, *words;
	} rows[] = {
		{ "{\"step\": \"jump\"}", "step: \"jump\" is not one of" },
		{ "{\"step\": \"click\"}", "click needs at" },
		{ "{\"step\": \"click\", \"at\": {\"css\": \"a\", \"id\": \"b\"}}", "at.id: unknown key" },
		{ "{\"step\": \"open\", \"url\": \"file:///etc/passwd\"}", "url: \"file:///etc/passwd\"" },
		{ "{\"step\": \"open\", \"url\": \"javascript:alert(1)\"}", "url:" },
		{ "{\"step\": \"press\"}", "press needs keys" },
		{ "{\"step\": \"press\", \"keys\": \"Return\"}", "keys: \"Return\" is no key: a character, Enter" },
		{ "{\"step\": \"press\", \"keys\": \"Alt+x\"}", "behind Control+ or Shift+" },
		{ "{\"step\": \"press\", \"keys\": \"Control+t\"}", "keys: \"Control+t\" is a key of the browser's own" },
		{ "{\"step\": \"click\", \"at\": {\"css\": \"a\"}, \"off\": true}", "off: has no meaning for click" },
		{ "{\"step\": \"drag\", \"at\": {\"css\": \"a\"}}", "drag needs to" },
		{ "{\"step\": \"upload\", \"at\": {\"css\": \"a\"}, \"file\": {\"name\": \"../a\", \"text\": \"x\"}}", "file.name: \"../a\" is no file's name" },
		{ "{\"step\": \"upload\", \"at\": {\"css\": \"a\"}, \"file\": {\"name\": \"a\", \"type\": \"csv\", \"text\": \"x\"}}", "is no media type" },
		{ "{\"step\": \"upload\", \"at\": {\"css\": \"a\"}, \"file\": {\"name\": \"a\"}}", "file: lacks \"text\"" },
		{ "{\"step\": \"wait_for\"}", "wait_for needs one of at/page" },
		{ "{\"step\": \"read\", \"at\": {\"css\": \"a\"}, \"cells\": [{\"name\": \"x\"}]}", "goes with all" },
		{ "{\"step\": \"read\", \"at\": {\"css\": \"a\"}, \"all\": true, \"cells\": [{\"name\": \"x\"}], \"long_polls\": [\"https://a.test/\"]}",
			"long_polls: goes with none" },
		{ "{\"step\": \"picture\", \"timeout_ms\": -1}", "timeout_ms: takes a whole number" },
		{ "[]", "takes an object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new(0);
		json_auto_t *json = json_loads(rows[i].json, 0, NULL);
		char why[512] = "";
		struct step s;

		assert_non_null(json);
		assert_int_equal(step_parse(arena, json, &s, why, sizeof(why)), -EINVAL);
		if (!strstr(why, rows[i].words))
			fail_msg("wanted \"%s\", got \"%s\"", rows[i].words, why);
	}
}

static void assert_inputs(const struct recipe_action *a, const char *given, const char *field, const char *words)
{
	json_auto_t *json = json_loads(given, 0, NULL), *out = NULL;
	char at[128] = "", why[128] = "";
	int e = inputs_check(a, json, "2025-11-18", &out, at, why, sizeof(why));

	assert_int_equal(e, field ? -EINVAL : 0);
	if (field && (strcmp(at, field) != 0 || !strstr(why, words)))
		fail_msg("wanted %s \"%s\", got %s \"%s\"", field, words, at, why);
	if (!field) {
		assert_string_equal(json_string_value(json_object_get(out, "floor")), "2");
		assert_string_equal(json_string_value(json_object_get(out, "desk")), "D-203");
	}
}

static void test_inputs(void **state)
{
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
	const struct recipe_action *a;
	char why[512];

	(void)state;
	assert_int_equal(recipe_load_file(DESK, &r, why, sizeof(why)), 0);
	a = recipe_action_find(r, "book");
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desk\": \"D-203\"}", NULL, NULL);
	assert_inputs(a, "{\"date\": \"2025-12-16\", \"desk\": \"D-203\"}", NULL, NULL);
	assert_inputs(a, "{\"date\": \"2025-12-17\", \"desk\": \"D-203\"}", "inputs.date", "too far ahead");
	assert_inputs(a, "{\"date\": \"2025-11-17\", \"desk\": \"D-203\"}", "inputs.date", "has passed");
	assert_inputs(a, "{\"date\": \"2025-02-30\", \"desk\": \"D-203\"}", "inputs.date", "no day of the calendar");
	assert_inputs(a, "{\"date\": \"20.11.2025\", \"desk\": \"D-203\"}", "inputs.date", "no day of the calendar");
	assert_inputs(a, "{\"date\": \"2025-11-18\"}", "inputs.desk", "missing");
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desk\": \"\"}", "inputs.desk", "missing");
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desk\": \"   \"}", "inputs.desk", "missing");
	assert_inputs(a, "{\"date\": \" 2025-11-18\", \"desk\": \"D-203 \", \"floor\": \"2 \"}", NULL, NULL);
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desk\": 7}", "inputs.desk", "takes a string");
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desk\": \"D\\n\"}", "inputs.desk", "control character");
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desk\": \"D-2033333333333333333\"}", "inputs.desk", "longer");
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desks\": \"D-203\"}", "inputs.desks", "did you mean \"desk\"?");
	assert_inputs(a, "{\"date\": \"2025-11-18\", \"desk\": \"D-203\", \"floor\": \"7\"}", "inputs.floor",
		"not one of 1, 2, 3");
}

struct slip {
	const char *old, *new;
};

/* Each slip in what the ones before have left; what a writer is told of it all. */
static char *complaints(const struct slip *slips, size_t n)
{
	char dir[] = "/tmp/stead-recipes-XXXXXX", path[64], *text = slurp(DESK), *out = NULL;
	const struct recipe *recipe = NULL;
	size_t size;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < n; i++) {
		char *at = strstr(text, slips[i].old), *next;

		assert_non_null(at);
		assert_true(asprintf(&next, "%.*s%s%s", (int)(at - text), text, slips[i].new, at + strlen(slips[i].old)) > 0);
		free(text);
		text = next;
	}
	write_file(dir, "desk.json", text);
	snprintf(path, sizeof(path), "%s/desk.json", dir);
	f = open_memstream(&out, &size);
	assert_int_equal(recipe_check_file(path, f, &recipe), -EINVAL);
	assert_null(recipe);
	fclose(f);
	unlink(path);
	rmdir(dir);
	free(text);
	return out;
}

static const char *next_complaint(char **rest)
{
	const char *line = strsep(rest, "\n");

	assert_non_null(line);
	return line;
}

/* All at once, in the order of the lines, whatever depth they are at; what depends on what is wrong is not judged. */
static void test_all_mistakes(void **state)
{
	static const struct slip slips[] = {
		{ "\"home\": \"https://desk.test/\"", "\"home\": \"desk.test\"" },
		{ "\"settle\"", "\"setle\"" },
		{ "\"locale\": \"en-US\"", "\"locale\": \"English\"" },
		{ "\"value\": \"2\"", "\"value\": \"9\"" },
		{ "\"match\": [", "\"match\": [{ \"is\": \"x\" }, " },
		{ "https://desk.test/finder/building", "https://desks.test/finder/building" },
		{ "[role=gridcell]", "[role=gridcell" },
		{ ", \"value\": \"{note}\"", "" },
		{ "\"outcome\": \"full\"", "\"outcome\": \"ful\"" },
	};
	static const char *const words[] = { ": home: ", ": setle: unknown key", ": environment.locale: ",
		"inputs[2].value: \"9\" is none",
		"list.match[0]: lacks \"cell\"", "steps[0].url: ", "steps[3].at.css: ", "steps[8]: fill needs value",
		"outcomes[0].outcome: \"ful\"" };
	CLEANUP(freep) char *all = complaints(slips, sizeof(slips) / sizeof(*slips));
	char *rest = all;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const char *line = next_complaint(&rest);
		if (!strstr(line, words[i]))
			fail_msg("wanted \"%s\", got \"%s\"", words[i], line);
	}
	assert_string_equal(rest, "");
}

/* What an input is called is not known, so no variable is told to be unknown; but another thing that is wrong is told. */
static void test_what_follows(void **state)
{
	static const struct slip slips[] = { { "\"name\": \"note\"", "\"name\": \"no te\"" }, { "\"{desk}\"", "\"{dusk}\"" },
		{ "\"hosts\": [\"", "\"hosts\": [\"a b\", \"" }, { "\"step\": \"click\"", "\"step\": \"clack\"" } };
	CLEANUP(freep) char *all = complaints(slips, sizeof(slips) / sizeof(*slips));
	char *rest = all;

	(void)state;
	assert_non_null(strstr(next_complaint(&rest), "hosts[0]: "));
	assert_non_null(strstr(next_complaint(&rest), "inputs[4].name: "));
	assert_non_null(strstr(next_complaint(&rest), "did you mean \"click\"?"));
	assert_string_equal(rest, "");
}

/* More mistakes than anybody reads, and keys as long as they get: the rest is counted, and the time is none. */
static void test_many_mistakes(void **state)
{
	CLEANUP(freep) char *keys = calloc(1, 200000);
	struct slip slip = { "{", keys };
	CLEANUP(freep) char *all = NULL;

	(void)state;
	strcpy(keys, "{");
	for (int i = 0; i < 8000; i++)
		sprintf(keys + strlen(keys), "\"homf%04d\": 7, ", i);
	all = complaints(&slip, 1);
	assert_non_null(strstr(all, "homf0000"));
	assert_null(strstr(all, "homf0100"));
	assert_non_null(strstr(all, ": 7900 more mistakes\n"));
}

static void test_schema_named(void **state)
{
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
	CLEANUP(freep) char *text = with("{", "{ \"$schema\": \"/usr/share/doc/stead/recipe.schema.json\",");
	char why[2048] = "";

	(void)state;
	if (recipe_parse("desk.json", text, strlen(text), &r, why, sizeof(why)) < 0)
		fail_msg("%s", why);
}

static const json_t *schema_of(const json_t *schema, const struct key_type *type)
{
	return type == &recipe_type ? schema : json_object_get(json_object_get(schema, "$defs"), type->name);
}

/* That the schema in docs/ has a type's keys, no other, and asks for those that the reader asks for; then of those below it. */
static void assert_schema(const json_t *schema, const struct key_type *type, json_t *seen)
{
	const json_t *properties = json_object_get(schema_of(schema, type), "properties");
	const json_t *required = json_object_get(schema_of(schema, type), "required");
	size_t keys = 0, needed = 0;
	unsigned marks;

	if (json_object_get(seen, type->name))
		return;
	json_object_set_new(seen, type->name, json_true());
	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks)) {
		bool sent = marks & MARK_SENT;

		if (!json_object_get(properties, k->name) != sent)
			fail_msg("%s: %s", type->name, k->name);
		keys += !sent;
		needed += !(marks & MARK_OPTIONAL);
		if (k->type && !sent)
			assert_schema(schema, k->type, seen);
	}
	assert_int_equal(json_object_size(properties), keys);
	assert_int_equal(json_array_size(required), needed);
	assert_true(json_is_false(json_object_get(schema_of(schema, type), "additionalProperties")));
}

static void test_schema(void **state)
{
	json_auto_t *schema = json_load_file("docs/recipe.schema.json", 0, NULL), *seen = json_object();

	(void)state;
	assert_non_null(schema);
	assert_schema(schema, &recipe_type, seen);
	assert_int_equal(json_object_size(json_object_get(schema, "$defs")), json_object_size(seen) - 1);
}

/* What people see of a choice may be given in its place, and stands in titles; the steps have what the site needs. */
static void test_labels(void **state)
{
	CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(freep) char *text = with("\"choices\": [\"1\", \"2\", \"3\"]",
		"\"choices\": [\"1\", \"2\", \"3\"], \"labels\": [\"Ground\", \"Garden\", \"Roof\"]");
	json_auto_t *given = json_pack("{s:s, s:s, s:s}", "date", "2025-11-20", "desk", "D", "floor", "Roof"), *inputs = NULL;
	const struct recipe_action *a;
	char why[512], field[512];
	struct variables v;
	const char *said;

	(void)state;
	assert_int_equal(recipe_parse("desk.json", text, strlen(text), &r, why, sizeof(why)), 0);
	a = recipe_action_find(r, "book");
	assert_int_equal(inputs_check(a, given, NULL, &inputs, field, why, sizeof(why)), 0);
	assert_string_equal(json_string_value(json_object_get(inputs, "floor")), "3");
	v = sample(arena, a, inputs);
	assert_int_equal(template_fill(arena, "{floor} {floor|label} {building|label} {building}", &v, ESCAPE_NONE, &said, why, sizeof(why)), 0);
	assert_string_equal(said, "3 Roof North House 1");
	json_object_set_new(given, "floor", json_string("4"));
	assert_int_equal(inputs_check(a, given, NULL, &inputs, field, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "Floor: \"4\" is not one of 1 (Ground), 2 (Garden), 3 (Roof).");
}

static bool obeys(const json_t *root, const json_t *schema, const json_t *v);

/* POSIX has these patterns, too. */
static bool fits_text(const json_t *schema, const char *s)
{
	const char *pattern = json_string_value(json_object_get(schema, "pattern"));
	const json_t *least = json_object_get(schema, "minLength"), *most = json_object_get(schema, "maxLength");
	regex_t compiled;
	bool fits;

	if ((least && strlen(s) < (size_t)json_integer_value(least)) || (most && strlen(s) > (size_t)json_integer_value(most)))
		return false;
	if (!pattern)
		return true;
	assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
	fits = regexec(&compiled, s, 0, NULL, 0) == 0;
	regfree(&compiled);
	return fits;
}

static bool fits_object(const json_t *root, const json_t *schema, const json_t *v)
{
	const json_t *more = json_object_get(schema, "additionalProperties"), *known;
	const char *name;
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, one) {
		if (!json_object_get(v, json_string_value(one)))
			return false;
	}
	json_object_foreach((json_t *)v, name, one) {
		known = json_object_get(json_object_get(schema, "properties"), name) ?: more;
		if (!known || json_is_false(known) || !obeys(root, known, one))
			return false;
	}
	return true;
}

static bool fits_list(const json_t *root, const json_t *schema, const json_t *v)
{
	json_t *one;
	size_t i;

	json_array_foreach(v, i, one) {
		if (!obeys(root, json_object_get(schema, "items"), one))
			return false;
	}
	return json_array_size(v) >= (size_t)json_integer_value(json_object_get(schema, "minItems")) &&
		json_array_size(v) <= (size_t)json_integer_value(json_object_get(schema, "maxItems"));
}

static bool fits_enum(const json_t *words, const json_t *v)
{
	json_t *one;
	size_t i;

	json_array_foreach(words, i, one) {
		if (json_equal(one, v))
			return true;
	}
	return !words;
}

static bool fits_number(const json_t *schema, const json_t *v)
{
	return json_integer_value(v) >= json_integer_value(json_object_get(schema, "minimum")) &&
		json_integer_value(v) <= json_integer_value(json_object_get(schema, "maximum"));
}

/* As much of JSON Schema as ours uses, but for the condition of an act. */
static bool obeys(const json_t *root, const json_t *schema, const json_t *v)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));
	const char *type = json_string_value(json_object_get(schema, "type"));

	if (reference)
		return obeys(root, json_object_get(json_object_get(root, "$defs"), reference + strlen("#/$defs/")), v);
	if (json_object_get(schema, "enum"))
		return fits_enum(json_object_get(schema, "enum"), v);
	if (!type) /* any document */
		return json_is_object(v) || json_is_array(v);
	switch (*type) {
	case 's': return json_is_string(v) && fits_text(schema, json_string_value(v));
	case 'i': return json_is_integer(v) && fits_number(schema, v);
	case 'b': return json_is_boolean(v);
	case 'a': return json_is_array(v) && fits_list(root, schema, v);
	default: return json_is_object(v) && fits_object(root, schema, v);
	}
}

/* Each key that a recipe may have besides is allowed by both. */
static void test_obeys_more(void **state)
{
	static const char who[] = "\"in\": { \"at\": { \"css\": \"body[data-ready=yes] #who\" } }", fill[] = "{ \"step\": \"fill\"";
	static const struct slip more[] = {
		{ "{", "{ \"$schema\": \"recipe.schema.json\"," },
		{ who, "\"in\": { \"account\": { \"answer\": \"https://desk.test/boot\", \"pointer\": \"/person/email\" } }" },
		{ who, "\"in\": { \"at\": { \"css\": \"p\" }, \"all\": [{ \"css\": \"b\" }], \"account\": { \"session_storage\": "
		       "{ \"origin\": \"https://desk.test\", \"key\": \"t\" }, \"claim\": \"sub\" } }" },
		{ who, "\"in\": { \"at\": { \"css\": \"p\" }, \"account\": { \"at\": { \"css\": \"meta\", \"hidden\": true }, \"attribute\": \"content\" } }" },
		{ fill, "{ \"step\": \"press\", \"keys\": \"Control+Enter\" }, { \"step\": \"fill\"" },
		{ fill, "{ \"step\": \"check\", \"at\": { \"css\": \"#a\" }, \"off\": true }, { \"step\": \"fill\"" },
		{ fill, "{ \"step\": \"drag\", \"at\": { \"css\": \"#a\" }, \"to\": { \"text\": \"{desk}\" } }, { \"step\": \"fill\"" },
		{ fill, "{ \"step\": \"double_click\", \"at\": { \"css\": \"#a\" } }, { \"step\": \"fill\"" },
		{ fill, "{ \"step\": \"upload\", \"at\": { \"css\": \"#a\" }, \"file\": { \"name\": \"{desk}.csv\", \"type\": \"text/csv\", "
			"\"text\": \"a;b\\n{note}\\n\" } }, { \"step\": \"fill\"" },
		{ "\"mark\": {", "\"any\": [{ \"css\": \"#a\" }, { \"css\": \"#b\" }], \"mark\": {" },
	};
	json_auto_t *schema = json_load_file("docs/recipe.schema.json", 0, NULL);
	char why[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		CLEANUP(freep) char *text = with(more[i].old, more[i].new);
		CLEANUP(recipe_unrefp) const struct recipe *r = NULL;
		json_auto_t *recipe = json_loads(text, 0, NULL);

		if (recipe_parse("desk.json", text, strlen(text), &r, why, sizeof(why)) < 0)
			fail_msg("%s", why);
		if (!obeys(schema, schema, recipe))
			fail_msg("the schema refuses %s", more[i].new);
	}
}

/* What is read obeys the schema, and what an editor would mark is refused. */
static void test_obeys(void **state)
{
	static const char *const files[] = { DESK, "sites/spaceiq.json" };
	static const struct slip slips[] = { { "\"title\": \"Deskwise\"", "\"title\": 7" }, { "\"home\"", "\"hom\"" },
		{ "\"quiet_ms\": 2000", "\"quiet_ms\": 1" }, { "\"step\": \"fill\"", "\"step\": \"fil\"" },
		{ "\"act\": true", "\"act\": 1" }, { "\"locale\": \"en-US\"", "\"locale\": \"-\"" },
		{ "\"url\": \"https://desk.test/login\"", "\"url\": \"desk.test\"" }, { "\"hosts\": [", "\"hosts\": [[]," } };
	json_auto_t *schema = json_load_file("docs/recipe.schema.json", 0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		json_auto_t *recipe = json_load_file(files[i], 0, NULL);
		assert_true(obeys(schema, schema, recipe));
	}
	for (size_t i = 0; i < sizeof(slips) / sizeof(*slips); i++) {
		CLEANUP(freep) char *text = with(slips[i].old, slips[i].new), *told = complaints(&slips[i], 1);
		json_auto_t *recipe = json_loads(text, 0, NULL);

		assert_non_null(recipe);
		if (obeys(schema, schema, recipe))
			fail_msg("the schema allows %s", slips[i].new);
	}
}

/* The documents are printed from the rows: make recipe-documents renews them. */
static void assert_printed(const char *path, void (*print)(FILE *out))
{
	CLEANUP(freep) char *kept = slurp(path), *printed = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&printed, &n);

	print(f);
	fclose(f);
	if (!strstr(kept, printed))
		fail_msg("%s is stale: run \"make recipe-documents\"", path);
}

static void test_documents(void **state)
{
	(void)state;
	assert_printed("docs/recipe.schema.json", recipe_print_schema);
	assert_printed("docs/recipes.md", recipe_print_reference);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_all_mistakes),
		cmocka_unit_test(test_what_follows),
		cmocka_unit_test(test_many_mistakes),
		cmocka_unit_test(test_schema_named),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_obeys),
		cmocka_unit_test(test_obeys_more),
		cmocka_unit_test(test_without_mark),
		cmocka_unit_test(test_act_without_press),
		cmocka_unit_test(test_doubts),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_loaded_anew),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_step_refused),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
