/* streamd's settings; the rows are in settings.def. */
#pragma once

#define SETTINGS_NAME streamd_settings
#define SETTINGS_DEF  "streamd/settings.def"
#include "common/settings_expand.h"
#undef SETTINGS_NAME
#undef SETTINGS_DEF

const struct setting *streamd_setting_rows(void);
