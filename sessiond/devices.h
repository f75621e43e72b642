/* Sessions of devices that nobody has used for long go by themselves; the role that removes them sees no background session. */
#pragma once

struct sessiond;

/* In a fiber: removes them, some at a time, so it can be interrupted. 0 or an error of the database. */
int devices_clean(struct sessiond *s);
