/* Sessions of devices that nobody has used for long go by themselves; the role that removes them sees no background session. */
#pragma once

/*
 * A session is in use, for the SET of a statement: to the hour, for it stands in an index that is not to be written at every
 * use.
 */
#define USED "used_at = CASE WHEN used_at < now() - interval '1 hour' THEN now() ELSE used_at END"

struct sessiond;

/* In a fiber: removes them, some at a time, so it can be interrupted. 0 or an error of the database. */
int devices_clean(struct sessiond *s);
