#include "proto/sessiond.h"

#define DEF "proto/sessiond.def"
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

static const struct method *const methods[] = {
#define EXPAND_LIST
#include "proto/expand.h"
#undef EXPAND_LIST
};

const struct method_list sessiond_methods = { "sessiond", methods, sizeof(methods) / sizeof(*methods) };
