#include "proto/authd.h"

#define DAEMON authd
#define DEF "proto/authd.def"
#define EXPAND_TABLES
#include "proto/expand.h"
