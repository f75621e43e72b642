#include "sessiond/settings.h"

#include "db/conninfo_form.h"

#define SETTINGS_NAME sessiond_settings
#define SETTINGS_DEF  "sessiond/settings.def"
#define SETTINGS_ROWS sessiond_settings_rows
#include "common/settings_expand.h"
