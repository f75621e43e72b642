/*
 * What waits for a sign-in goes on by itself: sessiond tells of every session that is saved or changes its health, from
 * all that are working on, also after either daemon was away.
 */
#pragma once

/* Of a fiber of its own, until it is cancelled. */
void resume_run(void *botd);
