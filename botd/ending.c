#include "botd/ending.h"

int ending_written(struct ending *e, enum job_result r)
{
	switch (r) {
	case JOB_OK: break;
	case JOB_LOST: return ending_set(e, ENDING_LOST, "The lease on this booking was lost.");
	case JOB_INTERRUPTED: return ending_set(e, ENDING_INTERRUPTED, "It was interrupted.");
	case JOB_UNWANTED: return ending_set(e, ENDING_UNWANTED, "It was withdrawn.");
	case JOB_REFUSED:
		return ending_set(e, ENDING_REFUSED,
			"Stead's database did not take what was to be written; the administrator finds the cause in the journal.");
	}
	return 0;
}
