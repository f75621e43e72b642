#include "proto/authd.h"

#define DEF "proto/authd.def"
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

static const struct method *const methods[] = {
#define EXPAND_LIST
#include "proto/expand.h"
#undef EXPAND_LIST
};

const struct method_list authd_methods = { "authd", methods, sizeof(methods) / sizeof(*methods) };
