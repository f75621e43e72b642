#include "proto/viewer.h"

#define DAEMON viewer
#define DEF "proto/viewer.def"
#define EXPAND_TABLES
#include "proto/expand.h"
