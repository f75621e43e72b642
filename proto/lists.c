#include "proto/authd.h"
#include "proto/botd.h"
#include "proto/sessiond.h"
#include "proto/streamd.h"

const struct method_list *const *method_lists(void)
{
	static const struct method_list *const lists[] = { &authd_methods, &streamd_methods, &sessiond_methods,
		&botd_methods, NULL };

	return lists;
}
