/* The handlers that the rows of proto/botd.def lead to; each stands in the file of its noun. */
#pragma once

#include "proto/botd.h"

#define DEF "proto/botd.def"
#define EXPAND_HANDLERS
#include "proto/expand.h"
#undef EXPAND_HANDLERS
#undef DEF
