/* Which of a session's two states stays: the one that was proved as it stands. */
#pragma once

#include "proto/sessiond.h"

/* The report has a proof after the last visit, and its name was checked. reason: as it is kept. As session_report() answers. */
int settle(struct call *call, const struct session_report_params *p, const char *reason, struct session_report_result *result);
