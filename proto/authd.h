/* The structs, descriptors and caller's stubs of proto/authd.def. */
#pragma once

#define DEF "proto/authd.def"
#define EXPAND_STRUCTS
#include "proto/expand.h"
#undef EXPAND_STRUCTS
#undef DEF

extern const struct method_list authd_methods;
