/*
 * What waits for a sign-in goes on by itself: sessiond tells of every session that is saved or changes its health, from
 * all that are working on, also after either daemon was away.
 */
#pragma once

struct botd;
struct resume;

struct resume *resume_start(struct botd *b);

/* Cancels it, waits until it has ended, frees it. Takes NULL, returns NULL. */
struct resume *resume_end(struct resume *r);
