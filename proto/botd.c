#include "proto/botd.h"

#define DAEMON botd
#define DEF "proto/botd.def"
#define EXPAND_TABLES
#include "proto/expand.h"
