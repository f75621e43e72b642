/* The picture of the page where a booking failed, sealed by the vault. */
#pragma once

#include <stdint.h>

#include "botd/job.h"
#include "common/memfd.h"

struct botd;
struct call;

/* What is to be kept of the picture in a memfd, which lives as long as the call; the call says for whom. */
int picture_seal_for(struct call *call, int64_t job, int picture, struct memfd_view *ret);

/* Seals it and keeps it with the job. JOB_REFUSED: it is not kept, and that is logged; a booking does not fail for want of one. */
enum job_result picture_keep(struct botd *b, struct job *j, int picture);
