/* The structs, descriptors and caller's stubs of proto/sessiond.def. */
#pragma once

#define DEF "proto/sessiond.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#undef DEF

extern const struct method_list sessiond_methods;
