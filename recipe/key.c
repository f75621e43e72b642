#include "recipe/key.h"

#include <string.h>

#include "recipe/recipe.h"
#include "recipe/step.h"

/* "open|click|...", of steps.def; the first bar is stepped over. */
static const char all_steps[] =
#define STEP(name_, needs_, may_, timeout_ms_, words_, sentence_) "|" #name_
#include "recipe/steps.def"
#undef STEP
	;
#define STEP_WORDS (all_steps + 1)

#define EXPAND_TABLES
#include "recipe/expand.h"
#undef EXPAND_TABLES

const struct key *key_first(const struct key *row, unsigned *ret_marks)
{
	unsigned marks = 0;

	for (; row->kind == KEY_MARK || row->kind == KEY_NAMED; row++)
		marks |= (unsigned)row->least; /* NAMED has none */
	if (ret_marks)
		*ret_marks = marks;
	return row;
}

const struct key *key_next(const struct key *row, unsigned *ret_marks)
{
	return key_first(row + 1, ret_marks);
}

const struct key *key_find(const struct key_type *type, struct span name)
{
	for (const struct key *k = key_first(type->keys(), NULL); k->kind != KEY_END;
	     k = key_next(k, NULL)) {
		if (span_is(name, k->name))
			return k;
	}
	return NULL;
}

bool key_present(const struct key *row, const void *p)
{
	const char *member = (const char *)p + row->offset;

	switch (row->kind) {
	case KEY_TEXT:
	case KEY_JSON:
	case KEY_CHOICE:
	case KEY_NAMED:
	case KEY_ONE: return *(void *const *)member;
	case KEY_TEXTS:
	case KEY_LIST:
	case KEY_MAP: return *(const size_t *)((const char *)p + row->count_offset) > 0;
	case KEY_NUMBER: return *(const int64_t *)member != 0;
	case KEY_FLAG: return *(const bool *)member;
	case KEY_NESTED: return true;
	case KEY_NOTE:
	case KEY_END:
	case KEY_MARK: break;
	}
	return false;
}
