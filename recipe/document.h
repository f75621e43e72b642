/* What is printed from the rows of recipe.def: the JSON Schema and the reference in docs/recipes.md. */
#pragma once

#include <stdio.h>

/* JSON Schema, draft 2020-12. */
void recipe_print_schema(FILE *out);

/* Markdown: a table for each type, and one of the steps. */
void recipe_print_reference(FILE *out);
