#include "recipe/check.h"

#include <errno.h>
#include <string.h>

#include "recipe/date.h"
#include "recipe/format.h"
#include "recipe/input.h"
#include "recipe/pattern.h"
#include "recipe/recipe.h"
#include "recipe/step.h"
#include "recipe/walk.h"

static int check_nothing(struct reading *, const struct place *, const void *)
{
	return 0;
}

static int check_selector(struct reading *r, const struct place *place, const void *p)
{
	const struct selector *s = p;

	if (!s->css && !s->text && !s->role && !s->name)
		return reading_fail(r, place, "names no element: give css, text, role or name");
	if (s->exact && !s->text)
		return reading_fail(r, PLACE_KEY(place, "exact"), "goes with text, which is not given");
	return 0;
}

static int refuse_braces(const struct place *place, enum format format, const char *text, void *arg)
{
	if (!format_rows[format].template || !strpbrk(text, "{}"))
		return 0;
	return reading_fail(arg, place, "\"%s\" has a brace; variables are known in actions only", text);
}

static int check_signed_in(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_signed_in *s = p;

	if (!s->url && !s->cookies && !s->local_storage && !s->session_storage && !s->mark)
		return reading_fail(r, place, "is empty: give url, cookies, local_storage, session_storage or mark");
	return s->mark ? walk_texts(&selector_type, PLACE_KEY(place, "mark"), s->mark, refuse_braces, r) : 0;
}

static int check_settle(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_settle *s = p;

	return s->cap_ms > s->quiet_ms ? 0 : reading_fail(r, place, "cap_ms must be more than quiet_ms");
}

static int check_probe_in(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_probe_in *in = p;

	return walk_texts(&selector_type, PLACE_KEY(place, "at"), in->at, refuse_braces, r);
}

static int check_probe_out(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_probe_out *out = p;

	if (!out->url && !out->at)
		return reading_fail(r, place, "is empty: give url or at, or no session will ever count as ended");
	return out->at ? walk_texts(&selector_type, PLACE_KEY(place, "at"), out->at, refuse_braces, r) : 0;
}

static bool is_choice(const struct recipe_input *in, const char *value)
{
	for (size_t i = 0; i < in->choices_count; i++) {
		if (strcmp(in->choices[i], value) == 0)
			return true;
	}
	return false;
}

static int check_input(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_input *in = p;
	bool choice = strcmp(in->type, "choice") == 0;
	struct tm tm;

	if (choice != (in->choices_count > 0))
		return reading_fail(r, place, choice ? "is a choice without choices" : "has choices but is no choice");
	if (strchr(in->name, '-'))
		return reading_fail(r, PLACE_KEY(place, "name"), "\"%s\" has a -, which no variable may have; _ will do",
			in->name);
	if (strcmp(in->name, "today") == 0 || strcmp(in->name, "account") == 0)
		return reading_fail(r, PLACE_KEY(place, "name"),
			"\"%s\" is a variable that is always there; take another name", in->name);
	if (in->value && choice && !is_choice(in, in->value))
		return reading_fail(r, PLACE_KEY(place, "value"), "\"%s\" is none of the choices", in->value);
	if (in->value && strcmp(in->type, "date") == 0 && date_parse(in->value, &tm) < 0)
		return reading_fail(r, PLACE_KEY(place, "value"), "\"%s\" is no date, as in 2025-11-20", in->value);
	return 0;
}

static bool has_cell(const struct step *s, const char *name)
{
	for (size_t i = 0; i < s->cells_count; i++) {
		if (strcmp(s->cells[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Steps that read the rows, as their last one. */
static int check_listing(struct reading *r, const struct place *place, const struct step *steps, size_t n,
	const struct recipe_own_list *list)
{
	const struct step *last = &steps[n - 1];

	if (step_kind(last) != STEP_read || !last->all)
		return reading_fail(r, PLACE_INDEX(place, n - 1),
			"the last step must read the rows: a read with all and cells");
	for (size_t i = 0; i < n; i++) {
		if (steps[i].act)
			return reading_fail(r, PLACE_KEY(PLACE_INDEX(place, i), "act"), "reading a list is no act");
	}
	for (size_t i = 0; i < list->match_count; i++) {
		if (!has_cell(last, list->match[i].cell))
			return reading_fail(r, PLACE_KEY(PLACE_INDEX(place, n - 1), "cells"),
				"lack \"%s\", which match looks at", list->match[i].cell);
	}
	return 0;
}

static int check_own_list(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_own_list *list = p;
	int e = check_listing(r, PLACE_KEY(place, "steps"), list->steps, list->steps_count, list);

	if (e == 0 && list->again)
		e = check_listing(r, PLACE_KEY(place, "again"), list->again, list->again_count, list);
	if (e == 0 && list->none && list->none->frame)
		e = reading_fail(r, PLACE_KEY(PLACE_KEY(place, "none"), "frame"),
			"is looked for where the rows are; leave the frame out");
	return e;
}

struct templates {
	struct reading *reading;
	struct variables known;
};

/* Filled with samples: whatever is wrong then is wrong with the template. */
static int try_template(const struct place *place, enum format format, const char *text, void *arg)
{
	struct templates *t = arg;
	const char *filled;
	char why[256];

	if (!format_rows[format].template)
		return 0;
	if (template_fill(t->reading->arena, text, &t->known, format_rows[format].escape, &filled, why, sizeof(why)) == 0)
		return 0;
	return reading_fail(t->reading, place, "\"%s\" %s", text, why);
}

static int check_input_names(struct reading *r, const struct place *place, const struct recipe_action *a)
{
	for (size_t i = 0; i < a->inputs_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(a->inputs[i].name, a->inputs[j].name) == 0)
				return reading_fail(r, PLACE_KEY(PLACE_INDEX(PLACE_KEY(place, "inputs"), i), "name"),
					"\"%s\" is the name of two inputs", a->inputs[i].name);
		}
	}
	return 0;
}

static int check_act(struct reading *r, const struct place *place, const struct recipe_action *a)
{
	size_t acts = 0;

	for (size_t i = 0; i < a->steps_count; i++) {
		acts += a->steps[i].act;
		if (a->steps[i].act && a->steps[i].optional)
			return reading_fail(r, PLACE_INDEX(PLACE_KEY(place, "steps"), i), "the act cannot be optional");
	}
	return acts == 1 ? 0 :
		reading_fail(r, PLACE_KEY(place, "steps"),
			"exactly one step must say \"act\": true, where the booking is sent off; %zu do", acts);
}

static int check_action(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_action *a = p;
	struct templates t = { .reading = r, .known = inputs_variables(r->arena, a, NULL, INPUT_SAMPLE_DATE, INPUT_SAMPLE) };
	int e = check_input_names(r, place, a);

	if (e == 0)
		e = check_act(r, place, a);
	if (e == 0 && a->outcomes && !a->complaints)
		e = reading_fail(r, PLACE_KEY(place, "outcomes"), "needs complaints: where the page says such things");
	return e < 0 ? e : walk_texts(&recipe_action_type, place, a, try_template, &t);
}

/* A browser that is sent where it may not go says nothing but that it could not. */
int check_reachable(struct reading *r, const struct place *place, const struct recipe *recipe, const char *url)
{
	char host[256];

	if (!url_host(url, host, sizeof(host)))
		return 0;
	for (size_t i = 0; i < recipe->hosts_count; i++)
		if (host_match_url(recipe->hosts[i], url))
			return 0;
	if (recipe_allows_host(recipe, host))
		return reading_fail(r, place, "\"%s\" is at port %d; hosts without a port are their ports 80 and 443, so add \"%s:%d\"",
			url, url_port(url), host, url_port(url));
	return reading_fail(r, place, "\"%s\" is on %s, which is none of hosts", url, host);
}

struct reach {
	struct reading *reading;
	const struct recipe *recipe;
};

static int check_opened(const struct place *place, enum format format, const char *text, void *arg)
{
	struct reach *t = arg;

	return format == FORMAT_URL_TEMPLATE ? check_reachable(t->reading, place, t->recipe, text) : 0;
}

/* A provider's pattern may be wider than a host's: it says whom to wait for, not where to go. */
static int check_providers(struct reading *r, const struct place *place, const struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->identity_providers_count; i++) {
		const char *host = recipe->identity_providers[i];

		if (*host != '*' && !recipe_allows_host(recipe, host))
			return reading_fail(r, PLACE_INDEX(place, i), "\"%s\" is none of hosts, so no browser gets there",
				host);
	}
	return 0;
}

static int check_recipe(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe *recipe = p;
	struct reach reach = { .reading = r, .recipe = recipe };
	int e = check_providers(r, PLACE_KEY(place, "identity_providers"), recipe);

	if (e == 0)
		e = check_reachable(r, PLACE_KEY(PLACE_KEY(place, "sign_in"), "url"), recipe, recipe->sign_in.url);
	if (e == 0)
		e = check_reachable(r, PLACE_KEY(PLACE_KEY(place, "probe"), "url"), recipe, recipe->probe.url);
	return e < 0 ? e : walk_texts(&recipe_type, place, recipe, check_opened, &reach);
}

int check_type(struct reading *r, const struct key_type *type, const struct place *place, const void *p)
{
	static const struct {
		const char *type;
		int (*check)(struct reading *r, const struct place *place, const void *p);
	} rows[] = {
#define EXPAND_CHECKS
#include "recipe/expand.h"
#undef EXPAND_CHECKS
	};
	size_t i = 0;

	while (strcmp(rows[i].type, type->name) != 0)
		i++;
	return rows[i].check(r, place, p);
}
