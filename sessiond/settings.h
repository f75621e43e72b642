/* sessiond's settings; the rows are in settings.def. */
#pragma once

#define SETTINGS_NAME sessiond_settings
#define SETTINGS_DEF  "sessiond/settings.def"
#include "common/settings_expand.h"
#undef SETTINGS_NAME
#undef SETTINGS_DEF

const struct setting *sessiond_settings_rows(void);
