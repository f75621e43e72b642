#include "authd/dispatch.h"

#include "authd/handlers.h"

#define DEF "proto/authd.def"
#define EXPAND_THUNKS
#include "proto/expand.h"
#undef EXPAND_THUNKS

const struct dispatch_row authd_dispatch[] = {
#define EXPAND_DISPATCH
#include "proto/expand.h"
#undef EXPAND_DISPATCH
	{ 0 }
};
