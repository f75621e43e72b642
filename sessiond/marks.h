/*
 * What this sessiond has seen last of each session, kept where PostgreSQL cannot reach: in a file of its own. Whoever puts
 * an old row back, as it was yesterday and with its seal unbroken, or one of a session that was forgotten, is noticed by it.
 *
 * The file "marks" is one record for each session's number, at its place: the highest version seen, and which versions its
 * two states have. A state is good if it is one of those, or newer than all that was seen: another sessiond may have saved
 * it. A record is written whole, by one pwrite(2), once what it says is committed; so it may be behind, never ahead. A power
 * failure may cost what came in the last half minute. The file also says since when only format 2 is taken (envelope.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKS_WHY  512
#define MARKS_MOST (INT64_C(1) << 28) /* the highest number of a session that is taken: the file has its record */

struct marks;

/* What a row says of its session: its number, the highest version it ever had, and those of its states; newest 0: there is none. */
struct sight {
	int64_t id, last, proved, newest;
};

/* Opens or makes it in that directory, for this process alone. On failure why holds a sentence for the operator. */
int marks_open(const char *directory, struct marks **ret, char why[static MARKS_WHY]);
struct marks *marks_free(struct marks *m); /* takes NULL, returns NULL */

/* Whether a row can be as new as what was seen. -EIO and the like: it is not known. */
int marks_judge(struct marks *m, const struct sight *row, bool *ret_good);

/* A row is so: read and found good, or just written. What was written before it and comes later is passed over. */
int marks_note(struct marks *m, const struct sight *row);

/* A session has been deleted: none of its versions is good any more. */
int marks_forget(struct marks *m, int64_t id);

/* The first session behind one number and before another that has not been forgotten; 0: none. */
int64_t marks_next(struct marks *m, int64_t after, int64_t before);

/* The highest version that was seen of a session; 0: none. */
int64_t marks_last(struct marks *m, int64_t id);

/* A row is good as it is, whatever was seen: the administrator says so. No version that was seen is given again. */
int marks_accept(struct marks *m, const struct sight *row);

/* Somebody is told that a row was put back; false: that was done before, and nothing has come since. */
bool marks_tell(struct marks *m, int64_t id);
int64_t marks_told(const struct marks *m); /* how many of those there are */
int marks_untell(struct marks *m);         /* none any more, and what was noted is on the disk */

/* The oldest format that is taken; 0 and the end of the former is on the disk, or an errno. */
int marks_oldest_format(const struct marks *m);
int marks_set_oldest_format(struct marks *m, int format);
