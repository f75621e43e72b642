/* authd from its start to its end, as proto/service.h has it: the daemon is its struct authd, with its settings. */
#pragma once

struct server;

int authd_open(void *daemon, struct server *server);
int authd_start(void *daemon);
void authd_stop(void *daemon);
void authd_close(void *daemon);
