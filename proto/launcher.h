/* The structs, descriptors and caller's stubs of proto/launcher.def. */
#pragma once

#define DEF "proto/launcher.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#undef DEF

extern const struct method_list launcher_methods;
