/* What steadctl and administrators did to bookings and queues: jobs.audit, to which rows can only be added. */
#pragma once

struct call;

/* steadctl is about to do that: for server_on_act(). What cannot be written down is not done. */
int botd_audit_act(struct call *call, const char *what);

/* An administrator is, over HTTP. Likewise. */
int botd_audit_admin(struct call *call, const char *what);
