#include "recipe/input.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/nearest.h"
#include "common/span.h"
#include "common/words.h"
#include "recipe/date.h"

/* Where a refusal goes. */
struct refusing {
	const char *today;
	char *field, *why;
	size_t size;
};

static int input_refuse(struct refusing *r, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int input_refuse(struct refusing *r, const char *field, const char *format, ...)
{
	va_list args;

	words_set(r->field, r->size, "inputs.%s", field);
	va_start(args, format);
	words_set_v(r->why, r->size, format, args);
	va_end(args);
	return -EINVAL;
}

static int check_date(struct refusing *r, const struct recipe_input *in, const char *value)
{
	int64_t days;
	struct tm tm;

	if (date_parse(value, &tm) < 0)
		return input_refuse(r, in->name, "%s: \"%s\" is no day of the calendar; write it as 2025-11-20.", in->label,
			value);
	days = r->today ? date_distance(r->today, value) : 0;
	if (days < 0)
		return input_refuse(r, in->name, "%s: %s has passed; choose today (%s) or later.", in->label, value,
			r->today);
	if (days > in->most_days)
		return input_refuse(r, in->name, "%s: %s is too far ahead; choose a day at most %lld days after today (%s).",
			in->label, value, (long long)in->most_days, r->today);
	return 0;
}

/* By what the steps need, or by what people see; choices_count: it is neither. */
static size_t find_choice(const struct recipe_input *in, const char *value)
{
	size_t i = 0;

	while (i < in->choices_count && strcmp(in->choices[i], value) != 0 && !(in->labels && strcmp(in->labels[i], value) == 0))
		i++;
	return i;
}

static int check_choice(struct refusing *r, const struct recipe_input *in, const char *value)
{
	char all[512] = "";

	if (find_choice(in, value) < in->choices_count)
		return 0;
	for (size_t i = 0; i < in->choices_count; i++) {
		words_add(all, sizeof(all), "%s%s", *all ? ", " : "", in->choices[i]);
		if (in->labels)
			words_add(all, sizeof(all), " (%s)", in->labels[i]);
	}
	return input_refuse(r, in->name, "%s: \"%s\" is not one of %s.", in->label, value, all);
}

static int check_text(struct refusing *r, const struct recipe_input *in, const char *value)
{
	if (strlen(value) > (size_t)in->most_bytes)
		return input_refuse(r, in->name, "%s: longer than %lld bytes; shorten it.", in->label,
			(long long)in->most_bytes);
	for (; *value; value++) {
		if (iscntrl((unsigned char)*value))
			return input_refuse(r, in->name, "%s: holds a control character; write it in one plain line.",
				in->label);
	}
	return 0;
}

static int input_check_one(struct refusing *r, const struct recipe_input *in, const char *value)
{
	switch (*in->type) {
	case 'd': return check_date(r, in, value);
	case 'c': return check_choice(r, in, value);
	default: return check_text(r, in, value);
	}
}

static const struct recipe_input *input_find(const struct recipe_action *a, const char *name, struct nearest *near)
{
	for (size_t i = 0; i < a->inputs_count; i++) {
		if (strcmp(a->inputs[i].name, name) == 0)
			return &a->inputs[i];
		nearest_consider(near, a->inputs[i].name);
	}
	return NULL;
}

static int check_known(struct refusing *r, const struct recipe_action *a, const json_t *given)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)given, name, value) {
		struct nearest near = nearest_to(name);

		if (!input_find(a, name, &near) && near.name)
			return input_refuse(r, name, "There is no input \"%s\"; did you mean \"%s\"?", name, near.name);
		if (!input_find(a, name, &near))
			return input_refuse(r, name, "There is no input \"%s\" of this action; leave it out.", name);
		if (!json_is_string(value))
			return input_refuse(r, name, "The input \"%s\" takes a string.", name);
	}
	return 0;
}

int inputs_check(const struct recipe_action *a, const json_t *given, const char *today, json_t **ret_inputs,
	char *field, char *why, size_t size)
{
	struct refusing r = { .today = today, .field = field, .why = why, .size = size };
	json_auto_t *inputs = json_object();
	int e;

	*field = *why = '\0';
	e = check_known(&r, a, given);
	for (size_t i = 0; i < a->inputs_count && e == 0; i++) {
		const struct recipe_input *in = &a->inputs[i];
		struct span said = span_trim(span_of(json_string_value(json_object_get(given, in->name))));
		json_t *value = said.n ? json_stringn(said.p, said.n) : json_string(in->value);

		if (!value && in->required)
			return input_refuse(&r, in->name, "%s: missing; give the input \"%s\".", in->label, in->name);
		if (!value)
			continue;
		json_object_set_new(inputs, in->name, value);
		e = input_check_one(&r, in, json_string_value(value));
		if (e == 0 && in->labels)
			json_object_set_new(inputs, in->name, json_string(in->choices[find_choice(in, json_string_value(value))]));
	}
	if (e == 0)
		*ret_inputs = TAKE(inputs);
	return e;
}

/* Of what a choice was; a recipe may have had others then. NULL: it is no choice. */
static const char *input_label(const struct recipe_input *in, const char *value)
{
	size_t i = in->choices_count ? find_choice(in, value) : 0;

	if (!in->choices_count)
		return NULL;
	return in->labels && i < in->choices_count ? in->labels[i] : value;
}

struct variables inputs_variables(struct arena *arena, const struct recipe_action *a, const json_t *inputs,
	const char *today, const char *account)
{
	struct variable *v = arena_array(arena, a->inputs_count + 2, sizeof(*v));

	for (size_t i = 0; i < a->inputs_count; i++) {
		bool date = strcmp(a->inputs[i].type, "date") == 0;
		const char *absent = inputs ? "" : date ? INPUT_SAMPLE_DATE : INPUT_SAMPLE;
		const char *value = json_string_value(json_object_get(inputs, a->inputs[i].name));
		v[i] = (struct variable){ .name = a->inputs[i].name, .value = value ? value : absent, .date = date };
		v[i].label = input_label(&a->inputs[i], v[i].value);
	}
	v[a->inputs_count] = (struct variable){ .name = "today", .value = today, .date = true };
	v[a->inputs_count + 1] = (struct variable){ .name = "account", .value = account };
	return (struct variables){ .items = v, .count = a->inputs_count + 2 };
}
