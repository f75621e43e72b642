#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/sessiond.h"
#include "proto/streamd.h"

#include <string.h>

const struct method *method_find(const struct method_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->methods[i]->name, name) == 0)
			return list->methods[i];
	return NULL;
}

const struct method_list *const *method_lists(void)
{
	static const struct method_list *const lists[] = { &authd_methods, &streamd_methods, &sessiond_methods,
		&botd_methods, NULL };

	return lists;
}
