/* Memory that there must be: whoever has none left for the small things a daemon is made of ends at once. */
#pragma once

#include <stdlib.h>

static inline void *must(void *p)
{
	if (!p)
		abort();
	return p;
}
