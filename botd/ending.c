#include "botd/ending.h"

#include <stdarg.h>
#include <stdio.h>

void ending_set(struct ending *e, enum ending_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->reason, sizeof(e->reason), format, args);
	va_end(args);
	e->kind = kind;
}

void ending_done(struct ending *e, const char *outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->reason, sizeof(e->reason), format, args);
	va_end(args);
	e->kind = ENDING_DONE;
	e->outcome = outcome;
}
