/* The dispatch table of proto/streamd.def. */
#pragma once

#include "proto/server.h"

extern const struct dispatch_row streamd_dispatch[];
