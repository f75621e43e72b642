/*
 * Doing one job in a run: the site's own list is read, then the steps are taken, with the intent written before the
 * act, then the list is read again. What stands there counts. Of a job that may have been sent already, only the list is read.
 */
#pragma once

#include "botd/ending.h"
#include "botd/listing.h"
#include "botd/job.h"
#include "botd/run.h"

/* The step under way, for the worker, who says so when it takes long. */
struct progress {
	int64_t since; /* monotonic ms; 0: none */
	bool told;
	char words[300];
};

struct botd;

/* Always sets *end. known: what earlier jobs of this run have read. */
void job_do(struct botd *b, struct job *job, struct run *run, struct listing *known, struct progress *progress, struct ending *end);
