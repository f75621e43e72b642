/* authd's settings; the rows are in settings.def. */
#pragma once

#define SETTINGS_NAME authd_settings
#define SETTINGS_DEF  "authd/settings.def"
#include "common/settings_expand.h"
#undef SETTINGS_NAME
#undef SETTINGS_DEF

const struct setting *authd_settings_rows(void);
