/* The dispatch table of proto/authd.def. */
#pragma once

#include "proto/server.h"

extern const struct dispatch_row authd_dispatch[];
