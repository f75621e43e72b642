#include "botd/settings.h"

#include "db/conninfo_form.h"

#define SETTINGS_NAME botd_settings
#define SETTINGS_DEF  "botd/settings.def"
#define SETTINGS_ROWS botd_settings_rows
#include "common/settings_expand.h"
