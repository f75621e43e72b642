/* botd's settings; the rows are in settings.def. */
#pragma once

#define SETTINGS_NAME botd_settings
#define SETTINGS_DEF  "botd/settings.def"
#include "common/settings_expand.h"
#undef SETTINGS_NAME
#undef SETTINGS_DEF

const struct setting *botd_settings_rows(void);
