#include "proto/streamd.h"

#define DAEMON streamd
#define DEF "proto/streamd.def"
#define EXPAND_TABLES
#include "proto/expand.h"
