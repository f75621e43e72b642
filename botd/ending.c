#include "botd/ending.h"

#include <stdarg.h>

#include "common/words.h"

void ending_set(struct ending *e, enum ending_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	words_set_v(e->reason, sizeof(e->reason), format, args);
	va_end(args);
	e->kind = kind;
}

void ending_unwritten(struct ending *e, enum job_result r)
{
	switch (r) {
	case JOB_OK: break;
	case JOB_LOST: ending_set(e, ENDING_LOST, "The lease on this booking was lost."); break;
	case JOB_INTERRUPTED: ending_set(e, ENDING_INTERRUPTED, "It was interrupted."); break;
	case JOB_REFUSED:
		ending_set(e, ENDING_REFUSED,
			"Stead's database did not take what was to be written; the administrator finds the cause in the journal.");
		break;
	}
}
