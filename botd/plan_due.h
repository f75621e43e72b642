/*
 * What of a plan has come due: its newest instant becomes a booking, or not, and of all others it is written why they did not; each
 * once, in one transaction under the person's own identity, which also moves the plan on. So whatever ends in the middle has done
 * nothing, and whatever comes twice finds it done.
 */
#pragma once

#include <stdint.h>

struct botd;

/* 0, also when there is nothing to be done any more, or somebody else is just at it; or a negative errno of db/error.h. */
int plan_due(struct botd *b, int64_t user, int64_t id);
