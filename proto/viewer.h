/* The structs, descriptors and caller's stubs of proto/viewer.def. */
#pragma once

#define DEF "proto/viewer.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#undef DEF

extern const struct method_list viewer_methods;
