/* The structs, descriptors and caller's stubs of proto/streamd.def. */
#pragma once

#define DEF "proto/streamd.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#undef DEF

extern const struct method_list streamd_methods;
