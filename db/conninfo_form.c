#include "db/conninfo_form.h"

#include <stdlib.h>

#include <libpq-fe.h>

#include "common/settings.h"

/* Not with libpq's own words: they may hold a piece of the password. */
static const char *conninfo_wrong(const char *text)
{
	PQconninfoOption *options = PQconninfoParse(text, NULL);

	if (!options)
		return "libpq does not understand it; it takes words NAME=VALUE, and quotes where a value has a blank: 'two words'";
	PQconninfoFree(options);
	return NULL;
}

const struct setting_form form_database = { .wrong = conninfo_wrong,
	.secret = true,
	.example = "host=/run/postgresql dbname=stead user=stead_NAME" };
