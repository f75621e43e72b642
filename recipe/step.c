#include "recipe/step.h"

#include <string.h>

#include "common/span.h"
#include "recipe/check.h"
#include "recipe/template.h"

const struct step_row step_rows[] = {
#define STEP(name_, needs_, may_, timeout_ms_, words_, sentence_)                                  \
	[STEP_##name_] = { #name_, needs_, may_, words_, sentence_, timeout_ms_ },
#include "recipe/steps.def"
#undef STEP
};
const size_t step_row_count = sizeof(step_rows) / sizeof(*step_rows);

#define ANY_STEP "step|timeout_ms|say|act|optional|otherwise|none|long_polls" /* act: an older file has it anywhere; the last two: below */

#define SEES_HIDDEN "wait_for|read|expect|upload"

#define SEPARATORS "|/" /* of alternatives, and of those of which there must be one */

enum step_kind step_kind(const struct step *s)
{
	size_t i = 0;

	while (strcmp(step_rows[i].name, s->step) != 0) /* it has been read, so it is one of them */
		i++;
	return (enum step_kind)i;
}

bool step_presses(const struct step *s)
{
	return span_lists(step_rows[step_kind(s)].may, SEPARATORS, "act");
}

bool step_has_cell(const struct step *s, const char *name)
{
	for (size_t i = 0; i < s->cells_count; i++)
		if (strcmp(s->cells[i].name, name) == 0)
			return true;
	return false;
}

bool step_reads_rows(const struct step *s)
{
	return s->cells && (s->all || s->rows);
}

static bool all_requests(const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (step_kind(&steps[i]) != STEP_request)
			return false;
	return true;
}

bool recipe_action_pageless(const struct recipe *r, const struct recipe_action *a)
{
	return r->probe.request && all_requests(a->steps, a->steps_count) && all_requests(a->list.steps, a->list.steps_count) &&
		all_requests(a->list.again, a->list.again_count);
}

int64_t step_timeout_ms(const struct step *s)
{
	return s->timeout_ms ? s->timeout_ms : step_rows[step_kind(s)].timeout_ms;
}

/* One alternative after another: "at/page" needs one of them, and not both. */
static void check_needs(struct reading *r, const struct place *place, const struct step *s, const char *needs)
{
	struct span rest = span_of(*needs ? needs : NULL), group, name;

	while (span_next(&rest, "|", &group)) {
		struct span names = group;
		size_t found = 0;

		while (span_next(&names, "/", &name))
			found += key_present(key_find(&step_type, name), s);
		if (found != 1)
			reading_fail(r, place, "%s needs %s%s", s->step, memchr(group.p, '/', group.n) ? "one of " : "",
				(char *)arena_memdup(r->arena, group.p, group.n));
	}
}

static void check_cells(struct reading *r, const struct place *place, const struct step *s)
{
	for (size_t i = 0; i < s->cells_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(s->cells[i].name, s->cells[j].name) == 0)
				reading_fail(r, PLACE_INDEX(place, i), "\"%s\" is the name of two cells", s->cells[i].name);
		}
	}
}

static void check_read(struct reading *r, const struct place *place, const struct step *s)
{
	if (s->cells && !s->all && step_kind(s) != STEP_request)
		reading_fail(r, PLACE_KEY(place, "cells"), "goes with all, which is not given");
	if (s->none && !s->all)
		reading_fail(r, PLACE_KEY(place, "none"), "goes with all, which is not given");
	if (s->long_polls && !s->none)
		reading_fail(r, PLACE_KEY(place, "long_polls"), "goes with none, which is not given");
	if (s->all && (!s->cells || s->attribute))
		reading_fail(r, place, "all goes with cells, and without attribute");
	check_cells(r, PLACE_KEY(place, "cells"), s);
}

/* Whether every key that is there means something for its kind. */
static bool check_keys(struct reading *r, const struct place *place, const struct step *s)
{
	const struct step_row *row = &step_rows[step_kind(s)];
	bool all = true;

	for (const struct key *k = key_first(step_type.keys(), NULL); k->kind != KEY_END; k = key_next(k, NULL)) {
		if (!key_present(k, s) || span_lists(row->needs, SEPARATORS, k->name) ||
		    span_lists(row->may, SEPARATORS, k->name) || span_lists(ANY_STEP, SEPARATORS, k->name))
			continue;
		reading_fail(r, PLACE_KEY(place, k->name), "has no meaning for %s", s->step);
		all = false;
	}
	return all;
}

static bool has_body(const struct step *s)
{
	return s->form || s->json;
}

/* What is asked for, and what of the answer. */
static void check_request(struct reading *r, const struct place *place, const struct step *s)
{
	bool bodiless = strcmp(s->method, "GET") == 0 || strcmp(s->method, "HEAD") == 0;

	if (s->form && s->json)
		reading_fail(r, PLACE_KEY(place, "json"), "goes without form");
	if (bodiless && has_body(s))
		reading_fail(r, PLACE_KEY(place, s->form ? "form" : "json"), "goes with POST, PUT, PATCH or DELETE, and not with %s", s->method);
	if (!s->rows != !s->cells)
		reading_fail(r, PLACE_KEY(place, s->rows ? "rows" : "cells"), "goes with %s, which is not given", s->rows ? "cells" : "rows");
	if (s->pick && !s->rows)
		reading_fail(r, PLACE_KEY(place, "pick"), "goes with rows, which is not given");
	for (size_t i = 0; i < s->pick_count && s->rows; i++)
		if (!step_has_cell(s, s->pick[i].cell))
			reading_fail(r, PLACE_INDEX(PLACE_KEY(place, "pick"), i), "\"%s\" is none of the cells", s->pick[i].cell);
	for (size_t i = 0; i < s->cells_count; i++)
		if (!s->cells[i].pointer || s->cells[i].css || s->cells[i].attribute)
			reading_fail(r, PLACE_INDEX(PLACE_KEY(place, "cells"), i), "of an answer's rows a cell has a pointer, and neither css nor attribute");
}

static void check_no_pointers(struct reading *r, const struct place *place, const struct step *s)
{
	for (size_t i = 0; i < s->cells_count; i++)
		if (s->cells[i].pointer)
			reading_fail(r, PLACE_KEY(PLACE_INDEX(PLACE_KEY(place, "cells"), i), "pointer"), "is for the rows of a request; %s takes css or attribute", s->step);
}

void check_answer_fits(struct reading *r, const struct place *place, const void *p)
{
	const struct answer_fits *f = p;

	if (!f->status && !f->pointer && !f->text)
		reading_fail(r, place, "fits every answer: give status, pointer or text");
	if ((f->is || f->missing) && !f->pointer)
		reading_fail(r, PLACE_KEY(place, f->is ? "is" : "missing"), "goes with pointer, which is not given");
	if (f->is && f->missing)
		reading_fail(r, PLACE_KEY(place, "missing"), "goes without is");
}

void check_step(struct reading *r, const struct place *place, const void *p)
{
	const struct step *s = p;
	bool all = check_keys(r, place, s);

	check_needs(r, place, s, step_rows[step_kind(s)].needs);
	if (!all)
		return;
	if (s->page && (s->value || s->attribute || s->gone))
		reading_fail(r, PLACE_KEY(place, "page"), "goes without value, attribute and gone");
	if (s->attribute && step_kind(s) == STEP_expect && !s->value)
		reading_fail(r, PLACE_KEY(place, "attribute"), "goes with value, which is not given");
	if (s->at && s->at->hidden && !span_lists(SEES_HIDDEN, SEPARATORS, s->step))
		reading_fail(r, PLACE_KEY(PLACE_KEY(place, "at"), "hidden"), "is no element that can be pressed; %s needs a visible one", s->step);
	if (s->to && s->to->hidden)
		reading_fail(r, PLACE_KEY(PLACE_KEY(place, "to"), "hidden"), "is no place to drop anything on; it must be visible");
	if (step_kind(s) == STEP_request)
		check_request(r, place, s);
	else
		check_no_pointers(r, place, s);
	check_read(r, place, s);
}

const char *selector_words(struct arena *arena, const struct selector *s)
{
	const char *name = s->name ? s->name : s->text;

	if (name && s->role)
		return arena_printf(arena, "the %s \"%s\"", s->role, name);
	if (name)
		return arena_printf(arena, "\"%s\"", name);
	return s->css ? s->css : arena_printf(arena, "the %s", s->role);
}

static const char *own_words(struct arena *arena, const struct step *s)
{
	const char *what = s->url ? s->url : s->page ? s->page : "";

	if (s->at)
		what = selector_words(arena, s->at);
	if (s->to)
		what = arena_printf(arena, "%s to %s", what, selector_words(arena, s->to));
	if (s->keys)
		what = arena_printf(arena, "%s%s%s", s->keys, *what ? " in " : "", what);
	return arena_printf(arena, "%s%s%s%s", s->off ? "un" : "", step_rows[step_kind(s)].words, *what ? " " : "", what);
}

const char *step_words(struct arena *arena, const struct step *s, const struct variables *v)
{
	const char *text = s->say ? s->say : own_words(arena, s), *filled = text;
	enum escape escape = !s->say && s->url ? ESCAPE_URL : ESCAPE_NONE;
	char why[256];

	if (template_fill(arena, text, v, escape, &filled, why, sizeof(why)) < 0)
		return text;
	return filled;
}
