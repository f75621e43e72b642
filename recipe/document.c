#include "recipe/document.h"

#include <string.h>

#include <jansson.h>

#include "common/span.h"
#include "recipe/key.h"
#include "recipe/recipe.h"
#include "recipe/step.h"

/* The types reached from the recipe, each once, what holds before what is held. */
struct types {
	const struct key_type *items[64];
	size_t count;
};

static void document_collect(struct types *t, const struct key_type *type)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i] == type)
			return;
	}
	t->items[t->count++] = type;
	for (const struct key *k = key_first(type->keys(), NULL); k->kind != KEY_END;
	     k = key_next(k, NULL)) {
		if (k->type)
			document_collect(t, k->type);
	}
}

static json_t *reference_to(const struct key_type *type)
{
	return json_pack("{s:s+}", "$ref", "#/$defs/", type->name);
}

static json_t *document_text_schema(const struct key *k, int64_t most)
{
	return json_pack("{s:s, s:i, s:I, s:s*}", "type", "string", "minLength", k->format != FORMAT_VALUE, "maxLength",
		(json_int_t)most, "pattern", format_rows[k->format].pattern);
}

static json_t *choice_schema(const char *words)
{
	json_t *list = json_array();
	struct span rest = span_of(words), word;

	while (span_next(&rest, "|", &word))
		json_array_append_new(list, json_stringn(word.p, word.n));
	return json_pack("{s:o}", "enum", list);
}

static json_t *key_schema(const struct key *k)
{
	json_int_t most = k->most;

	switch (k->kind) {
	case KEY_NOTE:
	case KEY_TEXT: return document_text_schema(k, k->most);
	case KEY_TEXTS:
		return json_pack("{s:s, s:i, s:I, s:o}", "type", "array", "minItems", 1, "maxItems", most, "items",
			document_text_schema(k, k->each));
	case KEY_NUMBER:
		return json_pack("{s:s, s:I, s:I, s:I}", "type", "integer", "minimum", (json_int_t)k->least, "maximum",
			most, "default", (json_int_t)k->absent);
	case KEY_FLAG: return json_pack("{s:s}", "type", "boolean");
	case KEY_CHOICE: return choice_schema(k->words);
	case KEY_JSON: return json_pack("{s:[s, s]}", "type", "object", "array");
	case KEY_ONE:
	case KEY_NESTED: return reference_to(k->type);
	case KEY_LIST:
		return json_pack("{s:s, s:i, s:I, s:o}", "type", "array", "minItems", 1, "maxItems", most, "items",
			reference_to(k->type));
	case KEY_MAP:
		return json_pack("{s:s, s:i, s:I, s:o}", "type", "object", "minProperties", 1, "maxProperties", most,
			"additionalProperties", reference_to(k->type));
	case KEY_NAMED:
	case KEY_END:
	case KEY_MARK: break;
	}
	return json_object();
}

static json_t *type_schema(const struct key_type *type)
{
	json_t *properties = json_object(), *required = json_array();
	unsigned marks;

	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks)) {
		json_t *s;

		if (marks & MARK_SENT)
			continue;
		s = key_schema(k);
		json_object_set_new(s, "description", json_string(k->sentence));
		json_object_set_new(properties, k->name, s);
		if (!(marks & MARK_OPTIONAL))
			json_array_append_new(required, json_string(k->name));
	}
	return json_pack("{s:s, s:s, s:b, s:o, s:o}", "type", "object", "description", type->sentence,
		"additionalProperties", 0, "properties", properties, "required", required);
}

/* That the act is marked on a step that presses. */
static void add_act_schema(json_t *step)
{
	json_t *presses = json_array();

	for (size_t i = 0; i < step_row_count; i++)
		if (span_lists(step_rows[i].may, "|", "act"))
			json_array_append_new(presses, json_string(step_rows[i].name));
	json_object_set_new(step, "if", json_pack("{s:{s:{s:b}}, s:[s]}", "properties", "act", "const", 1, "required", "act"));
	json_object_set_new(step, "then", json_pack("{s:{s:{s:o}}}", "properties", "step", "enum", presses));
}

void recipe_print_schema(FILE *out)
{
	struct types t = { 0 };
	json_t *root, *defs = json_object();

	document_collect(&t, &recipe_type);
	root = type_schema(&recipe_type);
	for (size_t i = 1; i < t.count; i++)
		json_object_set_new(defs, t.items[i]->name, type_schema(t.items[i]));
	add_act_schema(json_object_get(defs, "step"));
	json_object_set_new(root, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(root, "title", json_string("A recipe of Stead"));
	json_object_set_new(root, "$defs", defs);
	json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS);
	fputc('\n', out);
	json_decref(root);
}

/* In a table cell a bar would end the cell. */
static void print_cell(FILE *out, const char *s, const char *bar)
{
	for (; *s; s++) {
		if (*s == '|')
			fputs(bar, out);
		else if (*s == '/')
			fputs(" or ", out);
		else
			fputc(*s, out);
	}
}

static void print_takes(FILE *out, const struct key *k)
{
	switch (k->kind) {
	case KEY_NOTE:
	case KEY_TEXT: fprintf(out, "%s, %lld bytes", format_rows[k->format].name, (long long)k->most); break;
	case KEY_TEXTS:
		fprintf(out, "list of %s, %lld of %lld bytes", format_rows[k->format].name, (long long)k->most,
			(long long)k->each);
		break;
	case KEY_NUMBER:
		fprintf(out, "number %lld to %lld", (long long)k->least, (long long)k->most);
		if (k->absent)
			fprintf(out, ", else %lld", (long long)k->absent);
		break;
	case KEY_FLAG: fputs("true or false", out); break;
	case KEY_JSON: fprintf(out, "JSON, %lld bytes", (long long)k->most); break;
	case KEY_CHOICE: print_cell(out, k->words, " or "); break;
	case KEY_ONE:
	case KEY_NESTED: fprintf(out, "[%s](#%s)", k->type->name, k->type->name); break;
	case KEY_LIST: fprintf(out, "list of [%s](#%s), %lld", k->type->name, k->type->name, (long long)k->most); break;
	case KEY_MAP:
		fprintf(out, "object of [%s](#%s) by name, %lld", k->type->name, k->type->name, (long long)k->most);
		break;
	case KEY_NAMED:
	case KEY_END:
	case KEY_MARK: break;
	}
}

static void print_type(FILE *out, const struct key_type *type)
{
	unsigned marks;

	fprintf(out, "### %s\n\n%s\n\n| key | | takes | meaning |\n| --- | --- | --- | --- |\n", type->name,
		type->sentence);
	for (const struct key *k = key_first(type->keys(), &marks); k->kind != KEY_END; k = key_next(k, &marks)) {
		if (marks & MARK_SENT)
			continue;
		fprintf(out, "| `%s` | %s | ", k->name, marks & MARK_OPTIONAL ? "" : "required");
		print_takes(out, k);
		fprintf(out, " | %s |\n", k->sentence);
	}
	fputc('\n', out);
}

void recipe_print_reference(FILE *out)
{
	struct types t = { 0 };

	document_collect(&t, &recipe_type);
	for (size_t i = 0; i < t.count; i++)
		print_type(out, t.items[i]);
	fputs("### steps\n\n| step | needs | may have | timeout_ms | what it does |\n"
	      "| --- | --- | --- | --- | --- |\n", out);
	for (size_t i = 0; i < step_row_count; i++) {
		fprintf(out, "| `%s` | ", step_rows[i].name);
		print_cell(out, step_rows[i].needs, ", ");
		fputs(" | ", out);
		print_cell(out, step_rows[i].may, ", ");
		fprintf(out, " | %d | %s |\n", step_rows[i].timeout_ms, step_rows[i].sentence);
	}
}
