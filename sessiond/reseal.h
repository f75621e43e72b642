/*
 * The end of format 1: each state that is sealed in it is sealed anew in the newest format, row by row, while sessiond
 * serves. It can be interrupted at any time and goes on with what is left; once nothing is, format 1 is taken no more (marks.h).
 */
#pragma once

struct sessiond;

/* In a fiber. 0; -EAGAIN: some are in use just now, or cannot be opened for want of a key; or an error of the database. */
int reseal_all(struct sessiond *s);
