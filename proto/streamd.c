#include "proto/streamd.h"

#define DEF "proto/streamd.def"
#define EXPAND_TABLES
#include "proto/expand.h"
#undef EXPAND_TABLES

static const struct method *const methods[] = {
#define EXPAND_LIST
#include "proto/expand.h"
#undef EXPAND_LIST
};

const struct method_list streamd_methods = { "streamd", methods, sizeof(methods) / sizeof(*methods) };
