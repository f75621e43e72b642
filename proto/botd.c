#include "proto/botd.h"

#define DEF "proto/botd.def"
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

static const struct method *const methods[] = {
#define EXPAND_LIST
#include "proto/expand.h"
#undef EXPAND_LIST
};

const struct method_list botd_methods = { "botd", methods, sizeof(methods) / sizeof(*methods) };
