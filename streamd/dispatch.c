#include "streamd/dispatch.h"

#include "streamd/handlers.h"

#define DEF "proto/streamd.def"
#define EXPAND_THUNKS
#include "proto/expand.h"
#undef EXPAND_THUNKS

const struct dispatch_row streamd_dispatch[] = {
#define EXPAND_DISPATCH
#include "proto/expand.h"
#undef EXPAND_DISPATCH
	{ 0 }
};
#undef DEF

#define DEF "proto/viewer.def"
#define EXPAND_THUNKS
#include "proto/expand.h"
#undef EXPAND_THUNKS

const struct dispatch_row viewer_dispatch[] = {
#define EXPAND_DISPATCH
#include "proto/expand.h"
#undef EXPAND_DISPATCH
	{ 0 }
};
