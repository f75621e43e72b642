/* The dispatch tables of proto/streamd.def and proto/viewer.def. */
#pragma once

#include "proto/server.h"

extern const struct dispatch_row streamd_dispatch[], viewer_dispatch[];
