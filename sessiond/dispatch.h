/* The dispatch table of proto/sessiond.def. */
#pragma once

#include "proto/server.h"

extern const struct dispatch_row sessiond_dispatch[];
