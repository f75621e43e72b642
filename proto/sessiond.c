#include "proto/sessiond.h"

#define DAEMON sessiond
#define DEF "proto/sessiond.def"
#define EXPAND_TABLES
#include "proto/expand.h"
