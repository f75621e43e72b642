/* Putting a job off because its site is not well, for as long as the booking makes sense. */
#pragma once

#include "botd/ending.h"
#include "botd/job.h"
#include "botd/state.h"

/* Writes that it waits, and until when; or, when its day has passed, or a whole day in which the site was not well, its end. */
enum job_result put_off(struct botd *b, struct job *j, const struct ending *e, struct job **ret_next);

/* In how many ms it may be tried; 0: now. */
int64_t put_off_left_ms(const struct botd *b, const struct job *j);

/* It has got past that place (botd/outage.h). If that was all it waited for, its log says that the site is well again. */
enum job_result put_off_past(struct botd *b, struct job *j, const char *title, int place);

/*
 * Whether it has been put off and has not got past what was not well since. Until then its tries are told of by nothing but
 * what was said when it was put off.
 */
bool put_off_was(const struct botd *b, const struct job *j);

/* The job has ended. */
void put_off_over(struct botd *b, const struct job *j);
