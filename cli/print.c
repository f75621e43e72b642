#include "cli/print.h"

#include <stdbool.h>
#include <string.h>

#include "cli/table.h"
#include "cli/value.h"
#include "common/cleanup.h"

static void print_fields(const struct page *page, const struct field *rows, const json_t *object)
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++) {
		const json_t *v = f->name ? json_object_get(object, f->name) : NULL;
		if (!v || (json_is_false(v) && strcmp(f->name, "more") == 0)) /* that all is here is what everybody expects */
			continue;
		if (f->kind == FIELD_LIST) {
			table_print(page, f, v);
		} else if (f->kind == FIELD_OBJ) {
			print_fields(page, f->type(), v);
		} else {
			CLEANUP(freep) char *head = value_title(f->name);
			CLEANUP(freep) char *text = value_words(f->name, v);
			columns_pad(page->out, head, PRINT_HEAD);
			columns_wrap(page, PRINT_HEAD, text);
		}
	}
}

void print_result(const struct page *page, const struct method *m, const json_t *result)
{
	print_fields(page, m->result(), result);
}
