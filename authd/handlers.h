/* The handlers that the rows of proto/authd.def lead to; each stands in the file of its noun. */
#pragma once

#include "proto/authd.h"

#define DEF "proto/authd.def"
#define EXPAND_HANDLERS
#include "proto/expand.h"
#undef EXPAND_HANDLERS
#undef DEF
