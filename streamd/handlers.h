/* The handlers that the rows of proto/streamd.def and proto/viewer.def lead to; each stands in the file of its noun. */
#pragma once

#include "proto/streamd.h"
#include "proto/viewer.h"

#define DEF "proto/streamd.def"
#define EXPAND_HANDLERS
#include "proto/expand.h"
#undef EXPAND_HANDLERS
#undef DEF

#define DEF "proto/viewer.def"
#define EXPAND_HANDLERS
#include "proto/expand.h"
#undef EXPAND_HANDLERS
#undef DEF
