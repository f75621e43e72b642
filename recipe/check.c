#include "recipe/check.h"

#include <string.h>

#include "recipe/date.h"
#include "recipe/format.h"
#include "recipe/input.h"
#include "recipe/pattern.h"
#include "recipe/recipe.h"
#include "recipe/step.h"
#include "recipe/walk.h"

static void check_nothing(struct reading *, const struct place *, const void *)
{
}

static void check_selector(struct reading *r, const struct place *place, const void *p)
{
	const struct selector *s = p;

	if (!s->css && !s->text && !s->role && !s->name)
		reading_fail(r, place, "names no element: give css, text, role or name");
	else if (s->exact && !s->text)
		reading_fail(r, PLACE_KEY(place, "exact"), "goes with text, which is not given");
}

static void refuse_braces(const struct place *place, enum format format, const char *text, void *arg)
{
	if (format_rows[format].template && strpbrk(text, "{}"))
		reading_fail(arg, place, "\"%s\" has a brace; variables are known in actions only", text);
}

/* Of an element that is looked for where no action is carried out; NULL: none is. */
static void check_fixed(struct reading *r, const struct place *place, const struct selector *s)
{
	if (s)
		walk_texts(&selector_type, place, s, refuse_braces, r);
}

static void check_all_fixed(struct reading *r, const struct place *place, const struct selector *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_fixed(r, PLACE_INDEX(place, i), &s[i]);
}

static void check_signed_in(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_signed_in *s = p;

	if (!s->url && !s->cookies && !s->local_storage && !s->session_storage && !s->mark && !s->any && !s->all)
		reading_fail(r, place, "is empty: give url, cookies, local_storage, session_storage, mark, any or all");
	check_fixed(r, PLACE_KEY(place, "mark"), s->mark);
	check_all_fixed(r, PLACE_KEY(place, "any"), s->any, s->any_count);
	check_all_fixed(r, PLACE_KEY(place, "all"), s->all, s->all_count);
}

static void check_settle(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_settle *s = p;

	if (s->cap_ms <= s->quiet_ms)
		reading_fail(r, place, "cap_ms must be more than quiet_ms");
}

static void check_probe_in(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_probe_in *in = p;

	check_fixed(r, PLACE_KEY(place, "at"), in->at);
	check_all_fixed(r, PLACE_KEY(place, "all"), in->all, in->all_count);
	if (!in->at && !in->account)
		reading_fail(r, place, "names nobody: give at, the element that shows the account, or account, where else its name is");
	if (in->attribute && (!in->at || in->account))
		reading_fail(r, PLACE_KEY(place, "attribute"), "is of the element at, and says the account where account is not given");
}

static void check_account_source(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_account_source *s = p;
	int sources = !!s->at + !!s->local_storage + !!s->session_storage + !!s->cookie + !!s->answer + !!s->is;

	if (sources != 1)
		reading_fail(r, place, "takes one of at, local_storage, session_storage, cookie, answer and is; %d are given", sources);
	if (s->attribute && !s->at)
		reading_fail(r, PLACE_KEY(place, "attribute"), "goes with at, which is not given");
	if (s->is && (s->pointer || s->claim))
		reading_fail(r, PLACE_KEY(place, "is"), "is the name itself; leave pointer and claim out");
	check_fixed(r, PLACE_KEY(place, "at"), s->at);
}

/* What a browser has been given by Stead itself, a key, a cookie, says nothing of whether the site still takes it. */
static void check_probe(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_probe *probe = p;
	const struct recipe_probe_in *in = &probe->in;

	if (!in->at && !in->account->answer && !probe->requests)
		reading_fail(r, PLACE_KEY(place, "in"), "shows nothing that the site has said: give at, an element that only a signed-in person "
			"sees, or requests that it must answer");
}

static void check_probe_out(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_probe_out *out = p;

	if (!out->url && !out->at && !out->any)
		reading_fail(r, place, "is empty: give url, at or any, or no session will ever count as ended");
	check_fixed(r, PLACE_KEY(place, "at"), out->at);
	check_all_fixed(r, PLACE_KEY(place, "any"), out->any, out->any_count);
}

static bool is_choice(const struct recipe_input *in, const char *value)
{
	for (size_t i = 0; i < in->choices_count; i++) {
		if (strcmp(in->choices[i], value) == 0)
			return true;
	}
	return false;
}

static void check_input_name(struct reading *r, const struct place *place, const char *name)
{
	if (strchr(name, '-'))
		reading_fail(r, place, "\"%s\" has a -, which no variable may have; _ will do", name);
	if (strcmp(name, "today") == 0 || strcmp(name, "account") == 0)
		reading_fail(r, place, "\"%s\" is a variable that is always there; take another name", name);
}

/* Whether a label is what another choice is, or is called. */
static bool is_ambiguous(const struct recipe_input *in, size_t label)
{
	for (size_t i = 0; i < in->labels_count; i++) {
		if (i != label && strcmp(in->labels[label], in->choices[i]) == 0)
			return true;
		if (i < label && strcmp(in->labels[label], in->labels[i]) == 0)
			return true;
	}
	return false;
}

static void check_labels(struct reading *r, const struct place *place, const struct recipe_input *in)
{
	if (in->labels_count != in->choices_count) {
		reading_fail(r, place, "are %zu, and the choices %zu: each has its label", in->labels_count, in->choices_count);
		return;
	}
	for (size_t i = 0; i < in->labels_count; i++)
		if (is_ambiguous(in, i))
			reading_fail(r, PLACE_INDEX(place, i), "\"%s\" could be another choice as well", in->labels[i]);
}

static void check_input(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_input *in = p;
	bool choice = strcmp(in->type, "choice") == 0;
	struct tm tm;

	check_input_name(r, PLACE_KEY(place, "name"), in->name);
	if (choice != (in->choices_count > 0))
		reading_fail(r, place, choice ? "is a choice without choices" : "has choices but is no choice");
	else if (in->value && choice && !is_choice(in, in->value))
		reading_fail(r, PLACE_KEY(place, "value"), "\"%s\" is none of the choices", in->value);
	if (in->labels && in->choices)
		check_labels(r, PLACE_KEY(place, "labels"), in);
	if (in->value && strcmp(in->type, "date") == 0 && date_parse(in->value, &tm) < 0)
		reading_fail(r, PLACE_KEY(place, "value"), "\"%s\" is no date, as in 2025-11-20", in->value);
}

/* Steps that read the rows, as their last one. */
static void check_listing(struct reading *r, const struct place *place, const struct step *steps, size_t n,
	const struct recipe_own_list *list)
{
	const struct step *last = &steps[n - 1];

	for (size_t i = 0; i < n; i++) {
		if (steps[i].act)
			reading_fail(r, PLACE_KEY(PLACE_INDEX(place, i), "act"), "reading a list is no act");
	}
	if (!step_reads_rows(last)) {
		reading_fail(r, PLACE_INDEX(place, n - 1), "the last step must read the rows: a read with all and cells, or a request with rows");
		return;
	}
	for (size_t i = 0; i < list->match_count; i++) {
		if (!step_has_cell(last, list->match[i].cell))
			reading_fail(r, PLACE_KEY(PLACE_INDEX(place, n - 1), "cells"), "lack \"%s\", which match looks at",
				list->match[i].cell);
	}
}

static void check_probe_request(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_probe_request *q = p;

	if (q->json && (!q->method || strcmp(q->method, "POST") != 0))
		reading_fail(r, PLACE_KEY(place, "json"), "goes with the method POST");
	walk_texts(&recipe_probe_request_type, place, p, refuse_braces, r);
}

static void check_own_list(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_own_list *list = p;

	check_listing(r, PLACE_KEY(place, "steps"), list->steps, list->steps_count, list);
	if (list->again && !reading_failed(r, PLACE_KEY(place, "steps"))) /* mostly they lack the same */
		check_listing(r, PLACE_KEY(place, "again"), list->again, list->again_count, list);
	if (list->none && list->none->frame)
		reading_fail(r, PLACE_KEY(PLACE_KEY(place, "none"), "frame"), "is looked for where the rows are; leave the frame out");
}

struct templates {
	struct reading *reading;
	struct variables known;
};

/* Filled with samples: whatever is wrong then is wrong with the template. */
static void try_template(const struct place *place, enum format format, const char *text, void *arg)
{
	struct templates *t = arg;
	const char *filled;
	char why[256];

	if (format_rows[format].template &&
	    template_fill(t->reading->arena, text, &t->known, format_rows[format].escape, &filled, why, sizeof(why)) < 0)
		reading_fail(t->reading, place, "\"%s\" %s", text, why);
}

static void check_input_names(struct reading *r, const struct place *place, const struct recipe_action *a)
{
	for (size_t i = 0; i < a->inputs_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (a->inputs[i].name && a->inputs[j].name && strcmp(a->inputs[i].name, a->inputs[j].name) == 0)
				reading_fail(r, PLACE_KEY(PLACE_INDEX(place, i), "name"), "\"%s\" is the name of two inputs",
					a->inputs[i].name);
		}
	}
}

/* Which of the steps is the act cannot be said as long as one of them cannot be read. */
static void check_act(struct reading *r, const struct place *place, const struct recipe_action *a)
{
	bool read = !reading_failed(r, place);
	size_t acts = 0;

	for (size_t i = 0; i < a->steps_count; i++) {
		acts += a->steps[i].act;
		if (a->steps[i].act && a->steps[i].optional)
			reading_fail(r, PLACE_INDEX(place, i), "the act cannot be optional");
	}
	if (acts > 1 || (read && acts == 0))
		reading_fail(r, place, "exactly one step must say \"act\": true, where the booking is sent off; %zu do", acts);
}

/* Whether an answer of one of its steps says in words what is wrong. */
static bool has_complaint(const struct recipe_action *a)
{
	for (size_t i = 0; i < a->steps_count; i++)
		if (a->steps[i].complaint)
			return true;
	return false;
}

/* What one of its steps keeps is a variable, too. False: what one is called cannot be read. */
static bool keep_samples(struct arena *arena, const struct recipe_action *a, struct variables *v)
{
	for (size_t i = 0; i < a->steps_count; i++)
		for (size_t j = 0; j < a->steps[i].keep_count; j++) {
			if (!a->steps[i].keep[j].name)
				return false;
			*v = variables_with(arena, *v, a->steps[i].keep[j].name, INPUT_SAMPLE);
		}
	return true;
}

/* It may be read in part; variables are not known as long as an input cannot be read. */
static void check_action(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe_action *a = p;
	struct templates t = { .reading = r };

	check_input_names(r, PLACE_KEY(place, "inputs"), a);
	if (a->steps)
		check_act(r, PLACE_KEY(place, "steps"), a);
	if (a->outcomes && !a->complaints && !has_complaint(a) && !reading_failed(r, PLACE_KEY(place, "complaints")))
		reading_fail(r, PLACE_KEY(place, "outcomes"), "needs complaints: where the page says such things");
	if (reading_failed(r, PLACE_KEY(place, "inputs")))
		return;
	t.known = inputs_variables(r->arena, a, NULL, INPUT_SAMPLE_DATE, INPUT_SAMPLE);
	if (keep_samples(r->arena, a, &t.known))
		walk_texts(&recipe_action_type, place, a, try_template, &t);
}

/* A browser that is sent where it may not go says nothing but that it could not. */
void check_reachable(struct reading *r, const struct place *place, const struct recipe *recipe, const char *url)
{
	char host[256];

	if (!url_host(url, host, sizeof(host)))
		return;
	for (size_t i = 0; i < recipe->hosts_count; i++)
		if (host_match_url(recipe->hosts[i], url))
			return;
	if (recipe_allows_host(recipe, host))
		reading_fail(r, place, "\"%s\" is at port %d; hosts without a port are their ports 80 and 443, so add \"%s:%d\"", url,
			url_port(url), host, url_port(url));
	else
		reading_fail(r, place, "\"%s\" is on %s, which is none of hosts", url, host);
}

struct reach {
	struct reading *reading;
	const struct recipe *recipe;
};

static void check_opened(const struct place *place, enum format format, const char *text, void *arg)
{
	struct reach *t = arg;

	if (format == FORMAT_URL_TEMPLATE)
		check_reachable(t->reading, place, t->recipe, text);
}

/* A provider's pattern may be wider than a host's: it says whom to wait for, not where to go. */
static void check_providers(struct reading *r, const struct place *place, const struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->identity_providers_count; i++) {
		const char *host = recipe->identity_providers[i];

		if (*host != '*' && !recipe_allows_host(recipe, host))
			reading_fail(r, PLACE_INDEX(place, i), "\"%s\" is none of hosts, so no browser gets there", host);
	}
}

/* It may be read in part; where a browser gets is not known as long as a host cannot be read. */
static void check_recipe(struct reading *r, const struct place *place, const void *p)
{
	const struct recipe *recipe = p;
	struct reach reach = { .reading = r, .recipe = recipe };

	if (!recipe->hosts)
		return;
	check_providers(r, PLACE_KEY(place, "identity_providers"), recipe);
	if (recipe->sign_in.url)
		check_reachable(r, PLACE_KEY(PLACE_KEY(place, "sign_in"), "url"), recipe, recipe->sign_in.url);
	if (recipe->probe.request && recipe->probe.request->url)
		check_reachable(r, PLACE_KEY(PLACE_KEY(PLACE_KEY(place, "probe"), "request"), "url"), recipe, recipe->probe.request->url);
	if (recipe->probe.url)
		check_reachable(r, PLACE_KEY(PLACE_KEY(place, "probe"), "url"), recipe, recipe->probe.url);
	walk_texts(&recipe_type, place, recipe, check_opened, &reach);
}

/* Of the others nothing is said but what is wrong with their keys, until those are right. */
static bool looks_at_parts(const struct key_type *type)
{
	return type == &recipe_type || type == &recipe_action_type;
}

void check_type(struct reading *r, const struct key_type *type, const struct place *place, const void *p, bool whole)
{
	static const struct {
		const char *type;
		void (*check)(struct reading *r, const struct place *place, const void *p);
	} rows[] = {
#define EXPAND_CHECKS
#include "recipe/expand.h"
#undef EXPAND_CHECKS
	};
	size_t i = 0;

	while (strcmp(rows[i].type, type->name) != 0)
		i++;
	if (whole || looks_at_parts(type))
		rows[i].check(r, place, p);
}
