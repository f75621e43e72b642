#include "proto/launcher.h"

#define DAEMON launcher
#define DEF "proto/launcher.def"
#define EXPAND_TABLES
#include "proto/expand.h"
