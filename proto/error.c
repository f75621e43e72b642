#include "proto/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/scan.h"

static const struct error_row rows[] = {
#define ERROR(name_, rpc_, http_, exit_, sentence_) { #name_, rpc_, http_, exit_, sentence_ },
#include "proto/errors.def"
#undef ERROR
};

const struct error_row *error_row(enum error_code code)
{
	return &rows[code < ERROR_COUNT ? code : ERR_internal];
}

enum error_code error_by_name(const char *name)
{
	for (size_t i = 0; name && i < ERROR_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum error_code)i;
	return ERR_internal;
}

/* A peer's words may have been cut in the middle of a character, and what is no UTF-8 can be sent to nobody. */
static void keep_utf8(char *s)
{
	const char *end = s + strlen(s);

	while (s < end) {
		size_t n = scan_character(s, end);
		if (!n)
			*s = '?';
		s += n ? n : 1;
	}
}

void refusal_set(struct refusal *r, enum error_code code, const char *field, const char *format, ...)
{
	va_list args;

	*r = (struct refusal){ .code = code };
	snprintf(r->field, sizeof(r->field), "%s", field ? field : "");
	keep_utf8(r->field);
	if (!*format) {
		snprintf(r->message, sizeof(r->message), "%s", error_row(code)->sentence);
		return;
	}
	va_start(args, format);
	vsnprintf(r->message, sizeof(r->message), format, args);
	va_end(args);
	keep_utf8(r->message);
}

enum error_code error_from_errno(int r)
{
	switch (-r) {
	case ENOTCONN:
	case EINPROGRESS: return ERR_database_down;
	case ETIMEDOUT: return ERR_timed_out;
	case EBUSY: return ERR_busy;
	case ENOENT: return ERR_not_found;
	case EEXIST:
	case ESTALE:
	case EDEADLK: return ERR_conflict;
	case EFBIG:
	case EMSGSIZE: return ERR_too_large;
	case ECONNREFUSED:
	case ECONNRESET: return ERR_unavailable;
	default: return ERR_internal;
	}
}
