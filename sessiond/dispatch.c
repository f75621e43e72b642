#include "sessiond/dispatch.h"

#include "sessiond/handlers.h"

#define DEF "proto/sessiond.def"
#define EXPAND_THUNKS
#include "proto/expand.h"
#undef EXPAND_THUNKS

const struct dispatch_row sessiond_dispatch[] = {
#define EXPAND_DISPATCH
#include "proto/expand.h"
#undef EXPAND_DISPATCH
	{ 0 }
};
