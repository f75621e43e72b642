#include "cli/names.h"

#include <stdbool.h>

#include "cli/ask.h"
#include "cli/command.h"

#define ACCOUNTS_MS 5000 /* a list with numbers now is worth more than one with names later */

/* Whether the row has a number; it is replaced if one of users (NULL: none) has it as its id. */
static bool put_name(json_t *row, const json_t *users)
{
	const json_t *number = json_object_get(row, "user");
	json_t *user;
	size_t i;

	json_array_foreach((json_t *)users, i, user) {
		if (json_is_integer(number) && json_equal(json_object_get(user, "id"), number)) {
			json_object_set(row, "user", json_object_get(user, "name"));
			return true;
		}
	}
	return json_is_integer(number);
}

/* The same of the object itself, and of each object and row of a list that it holds. */
static bool put_names(json_t *object, const json_t *users)
{
	bool any = put_name(object, users);
	const char *key;
	json_t *value, *row;
	size_t i;

	json_object_foreach(object, key, value) {
		any |= put_name(value, users);
		json_array_foreach(value, i, row) {
			any |= put_name(row, users);
		}
	}
	return any;
}

void names_put(const char *socket_dir, json_t *result)
{
	char *const words[] = { "user", "list" };
	struct command commands[COMMAND_MOST];
	json_auto_t *none = json_object();
	struct answer accounts;
	int used;

	if (!put_names(result, NULL) || command_find(2, words, commands, &used) != 1)
		return;
	ask_daemons(socket_dir, commands, 1, none, ACCOUNTS_MS, &accounts);
	if (accounts.result)
		put_names(result, json_object_get(accounts.result, "users"));
	json_decref(accounts.result);
}
