/* What steadctl did to people's bookings: jobs.audit, to which rows can only be added. */
#pragma once

struct call;

/* steadctl is about to do that: for server_on_act(). What cannot be written down is not done. */
int botd_audit_act(struct call *call, const char *what);
