/* The handlers that the rows of proto/launcher.def lead to; each stands in the file of its noun. */
#pragma once

#include "proto/launcher.h"

#define DEF "proto/launcher.def"
#define EXPAND_HANDLERS
#include "proto/expand.h"
#undef EXPAND_HANDLERS
#undef DEF
