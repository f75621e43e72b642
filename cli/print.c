#include "cli/print.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/table.h"
#include "cli/value.h"
#include "common/must.h"

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
			char *head = value_title(f->name), *text = value_words(f->name, v);
			columns_pad(page->out, head, PRINT_HEAD);
			columns_wrap(page, PRINT_HEAD, text);
			free(head);
			free(text);
		}
	}
}

void print_result(const struct page *page, const struct method *m, const json_t *result)
{
	print_fields(page, m->result(), result);
}
