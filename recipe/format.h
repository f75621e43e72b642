/* What a text may be: the formats named in recipe.def. (private to recipe/) */
#pragma once

#include <stdbool.h>

#include "recipe/template.h"

/* FORMAT(name, check, JSON Schema's pattern or NULL, may hold variables, how their values are escaped) */
#define FORMATS                                                                                    \
	FORMAT(PLAIN, plain_wrong, NULL, false, ESCAPE_NONE)                                       \
	FORMAT(NAME, name_wrong, "^[a-z][a-z0-9_-]*$", false, ESCAPE_NONE)                         \
	FORMAT(ATTRIBUTE, attribute_wrong, "^[A-Za-z_][A-Za-z0-9_:.-]*$", false, ESCAPE_NONE)      \
	FORMAT(TEMPLATE, plain_wrong, NULL, true, ESCAPE_NONE)                                     \
	FORMAT(VALUE, plain_wrong, NULL, true, ESCAPE_NONE)                                        \
	FORMAT(CSS, css_wrong, NULL, true, ESCAPE_CSS)                                             \
	FORMAT(VARIABLE, variable_wrong, "^[a-z][a-z0-9_]*$", false, ESCAPE_NONE)                         \
	FORMAT(FIELD_NAME, field_name_wrong, "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", false, ESCAPE_NONE)          \
	FORMAT(POINTER, pointer_wrong, "^/", false, ESCAPE_NONE)                                   \
	FORMAT(PLACE, pointer_wrong, "^(/|$)", false, ESCAPE_NONE)                                 \
	FORMAT(KEYS, chord_wrong, NULL, false, ESCAPE_NONE)                                        \
	FORMAT(FILE_NAME, file_name_wrong, "^[^/\\\\]+$", true, ESCAPE_NONE)                       \
	FORMAT(MEDIA_TYPE, media_type_wrong, "^[a-z]+/[A-Za-z0-9.+-]+$", false, ESCAPE_NONE)       \
	FORMAT(CONTENT, plain_wrong, NULL, true, ESCAPE_NONE)                                      \
	FORMAT(URL, fixed_url_wrong, "^https?://", false, ESCAPE_NONE)                                   \
	FORMAT(URL_TEMPLATE, url_template_wrong, "^https?://", true, ESCAPE_URL)                   \
	FORMAT(URL_PATTERN, url_pattern_wrong, "^https?://", false, ESCAPE_NONE)                   \
	FORMAT(ORIGIN, origin_wrong, "^https?://[^/]+$", false, ESCAPE_NONE)                       \
	FORMAT(HOST_PATTERN, host_pattern_wrong, NULL, false, ESCAPE_NONE)                         \
	FORMAT(ACCOUNT_PATTERN, account_pattern_wrong, "^[^*]*[*][^*]*$", false, ESCAPE_NONE)      \
	FORMAT(ADDRESS, address_wrong, NULL, false, ESCAPE_NONE)                                   \
	FORMAT(LOCALE, locale_wrong, "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", false, ESCAPE_NONE)    \
	FORMAT(ZONE, zone_wrong, "^[A-Za-z0-9_+/-]+$", false, ESCAPE_NONE)

enum format {
#define FORMAT(name_, check_, pattern_, template_, escape_) FORMAT_##name_,
	FORMATS
#undef FORMAT
};

/*
 * NULL, or what is wrong with s, as the end of a sentence. Borrowed. template: variables are not filled in yet, so what
 * they may turn out to be is not judged.
 */
const char *format_check(enum format f, const char *s, bool template);

extern const struct format_row {
	const char *name;
	const char *(*check)(const char *s);
	const char *pattern; /* JSON Schema's; NULL: none */
	bool template;       /* it may hold variables */
	enum escape escape;  /* of their values */
} format_rows[];
