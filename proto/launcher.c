#include "proto/launcher.h"

#define DEF "proto/launcher.def"
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

static const struct method *const methods[] = {
#define EXPAND_LIST
#include "proto/expand.h"
#undef EXPAND_LIST
};

const struct method_list launcher_methods = { "launcher", methods, sizeof(methods) / sizeof(*methods) };
