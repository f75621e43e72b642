#include "cli/names.h"

#include <stdbool.h>

#include "cli/ask.h"
#include "cli/command.h"

#define ACCOUNTS_MS 5000 /* a list with numbers now is worth more than one with names later */

static bool is_number(const json_t *row)
{
	return json_is_integer(json_object_get(row, "user"));
}

/* In it itself, or in a row of a list that it holds. */
static bool has_numbers(const json_t *object)
{
	const char *key;
	json_t *value, *row;
	size_t i;

	if (is_number(object))
		return true;
	json_object_foreach((json_t *)object, key, value) {
		if (json_is_object(value) && is_number(value))
			return true;
		json_array_foreach(value, i, row) {
			if (is_number(row))
				return true;
		}
	}
	return false;
}

/* Borrowed from users, or NULL. */
static json_t *names_name_of(const json_t *users, const json_t *number)
{
	json_t *user;
	size_t i;

	json_array_foreach((json_t *)users, i, user) {
		if (json_equal(json_object_get(user, "id"), number))
			return json_object_get(user, "name");
	}
	return NULL;
}

static void put_name(json_t *row, const json_t *users)
{
	json_t *name = is_number(row) ? names_name_of(users, json_object_get(row, "user")) : NULL;

	if (name)
		json_object_set(row, "user", name);
}

static void put_names(json_t *object, const json_t *users)
{
	const char *key;
	json_t *value, *row;
	size_t i;

	put_name(object, users);
	json_object_foreach(object, key, value) {
		put_name(value, users);
		json_array_foreach(value, i, row) {
			put_name(row, users);
		}
	}
}

void names_put(const char *socket_dir, json_t *result)
{
	char *const words[] = { "user", "list" };
	struct command commands[COMMAND_MOST];
	json_auto_t *none = json_object();
	struct answer accounts;
	int used;

	if (!has_numbers(result) || command_find(2, words, commands, &used) != 1)
		return;
	ask_daemons(socket_dir, commands, 1, none, ACCOUNTS_MS, &accounts);
	if (accounts.result)
		put_names(result, json_object_get(accounts.result, "users"));
	json_decref(accounts.result);
}
