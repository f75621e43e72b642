/* The dispatch table of proto/botd.def. */
#pragma once

#include "proto/server.h"

extern const struct dispatch_row botd_dispatch[];
