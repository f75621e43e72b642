#include "proto/viewer.h"

#define DEF "proto/viewer.def"
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

static const struct method *const methods[] = {
#define EXPAND_LIST
#include "proto/expand.h"
#undef EXPAND_LIST
};

const struct method_list viewer_methods = { "viewer", methods, sizeof(methods) / sizeof(*methods) };
