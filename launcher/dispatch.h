/* The dispatch table of proto/launcher.def. */
#pragma once

#include "proto/server.h"

extern const struct dispatch_row launcher_dispatch[];
