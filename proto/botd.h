/* The structs, descriptors and caller's stubs of proto/botd.def. */
#pragma once

#define DEF "proto/botd.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#undef DEF

extern const struct method_list botd_methods;
