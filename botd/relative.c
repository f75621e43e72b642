#include "botd/relative.h"

#include <stdlib.h>
#include <string.h>

#include "recipe/date.h"

#define MOST_DIGITS 4

/* How many days after the run's a text says, or -1. */
static long days_after(const char *text)
{
	size_t n;

	if (!text || text[0] != '+')
		return -1;
	n = strspn(text + 1, "0123456789");
	return n == 0 || n > MOST_DIGITS || text[1 + n] ? -1 : atol(text + 1);
}

json_t *relative_fill(const struct recipe_action *a, const json_t *inputs, const char *day)
{
	json_t *filled = json_copy((json_t *)inputs);

	for (size_t i = 0; i < a->inputs_count; i++) {
		long days = days_after(json_string_value(json_object_get(inputs, a->inputs[i].name)));
		char date[11];

		if (strcmp(a->inputs[i].type, "date") != 0 || days < 0)
			continue;
		date_after(day, days, date);
		json_object_set_new(filled, a->inputs[i].name, json_string(date));
	}
	return filled;
}

const char *relative_fixed(const struct recipe_action *a, const json_t *inputs)
{
	for (size_t i = 0; i < a->inputs_count; i++) {
		const char *value = json_string_value(json_object_get(inputs, a->inputs[i].name));
		if (strcmp(a->inputs[i].type, "date") == 0 && value && *value && days_after(value) < 0)
			return a->inputs[i].label;
	}
	return NULL;
}
