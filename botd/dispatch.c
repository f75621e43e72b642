#include "botd/dispatch.h"

#include "botd/handlers.h"

#define DEF "proto/botd.def"
#define EXPAND_THUNKS
#include "proto/expand.h"
#undef EXPAND_THUNKS

const struct dispatch_row botd_dispatch[] = {
#define EXPAND_DISPATCH
#include "proto/expand.h"
#undef EXPAND_DISPATCH
	{ 0 }
};
