#include "launcher/dispatch.h"

#include "launcher/handlers.h"

#define DEF "proto/launcher.def"
#define EXPAND_THUNKS
#include "proto/expand.h"
#undef EXPAND_THUNKS

const struct dispatch_row launcher_dispatch[] = {
#define EXPAND_DISPATCH
#include "proto/expand.h"
#undef EXPAND_DISPATCH
	{0}};
