/*
 * A worker: claims a job, keeps its lease alive while the run (run.h) does it, and the next ones of the same person at
 * the same site, in one browser; then claims again. A run whose lease is lost is cancelled at once.
 */
#pragma once

struct botd;
struct worker;

struct worker *worker_start(struct botd *b);

/* Lets it give back what it is at and end. */
void worker_cancel(struct worker *w);

/* Waits until it has ended, and frees it. Returns NULL. */
struct worker *worker_end(struct worker *w);
