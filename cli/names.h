/* Whose things are: the daemons that do not know accounts by name say numbers. */
#pragma once

#include <jansson.h>

/* Puts names in the place of the numbers of users in what a daemon has answered; where there is none, the number stays. */
void names_put(const char *socket_dir, json_t *result);
