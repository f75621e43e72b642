#include "proto/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/words.h"

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

void refusal_set_v(struct refusal *r, enum error_code code, const char *field, const char *format, va_list args)
{
	struct refusal made = { .code = code };

	words_set(made.field, sizeof(made.field), "%s", field ? field : "");
	words_set_v(made.message, sizeof(made.message), format, args);
	if (!*made.message)
		words_set(made.message, sizeof(made.message), "%s", error_row(code)->sentence);
	*r = made;
}

void refusal_set(struct refusal *r, enum error_code code, const char *field, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	refusal_set_v(r, code, field, format, args);
	va_end(args);
}

const char *refusal_cause(const struct refusal *r)
{
	return *r->detail ? r->detail : r->message;
}

enum error_code error_from_errno(int r)
{
	switch (-r) {
	case ENOTCONN: return ERR_database_down;
	case EINPROGRESS: return ERR_maybe_done; /* the answer to COMMIT did not come */
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

bool error_may_pass(enum error_code code)
{
	return code == ERR_unavailable || code == ERR_database_down || code == ERR_busy || code == ERR_maybe_done ||
		code == ERR_timed_out;
}
