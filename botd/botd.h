/*
 * botd from its start to its end, as proto/service.h has it: reads the recipes, prepares the database, which need not answer yet,
 * and the way to sessiond and streamd; then the workers, and the watch on the sessions. At the end it gives the jobs under way
 * back to the queue and saves the sessions. The daemon is its struct botd, with its settings.
 */
#pragma once

struct server;

int botd_open(void *daemon, struct server *server);
int botd_start(void *daemon);
void botd_stop(void *daemon);
void botd_close(void *daemon);
