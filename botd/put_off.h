/* Putting a job off because its site is not well, for as long as the booking makes sense. */
#pragma once

#include "botd/ending.h"
#include "botd/queue.h"
#include "botd/state.h"

/* Writes that it waits, and until when; or, when its day has passed, or a whole day in which the site was not well, its end. */
enum job_result put_off(struct botd *b, struct job *j, const struct ending *e, struct job **ret_next);

/* Whether it has been put off and not been tried with success since. */
bool put_off_was(const struct botd *b, const struct job *j);

/* The site works, or the job has ended. */
void put_off_over(struct botd *b, const struct job *j);
