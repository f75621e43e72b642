#include "authd/settings.h"

#include "db/conninfo_form.h"

#define SETTINGS_NAME authd_settings
#define SETTINGS_DEF  "authd/settings.def"
#define SETTINGS_ROWS authd_settings_rows
#include "common/settings_expand.h"
