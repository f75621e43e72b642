/* The handlers that the rows of proto/sessiond.def lead to; each stands in the file of its noun. */
#pragma once

#include "proto/sessiond.h"

#define DEF "proto/sessiond.def"
#define EXPAND_HANDLERS
#include "proto/expand.h"
#undef EXPAND_HANDLERS
#undef DEF
