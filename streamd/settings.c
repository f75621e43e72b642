#include "streamd/settings.h"

#define SETTINGS_NAME streamd_settings
#define SETTINGS_DEF  "streamd/settings.def"
#define SETTINGS_ROWS streamd_setting_rows
#include "common/settings_expand.h"
