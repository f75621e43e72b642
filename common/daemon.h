/*
 * What every daemon's main needs: options, log, signals, loop, sockets, and talking to the service manager.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/settings.h"

#define STEAD_VERSION "0.1.0"

/*
 * Reads the command line (--config FILE, --set NAME=VALUE, --socket-dir DIR, --log-level WORD, --print-settings,
 * --help, --version) and fills settings; opens the log, turns core dumps off, ignores SIGPIPE, makes the loop. 0 to go on;
 * 1 when the command line asked only for output, already given; -EINVAL after saying why.
 */
int daemon_init(const char *name, const char *sentence, const struct setting *rows, void *settings, int argc,
	char *argv[]);

/* The file that --config named, or NULL if there is none, or if the setting comes from the command line. */
const char *daemon_setting_file(const char *name);

/*
 * The listening Unix socket of that name: from the service manager (LISTEN_FDS, by FileDescriptorName) or else made
 * below --socket-dir as DIR/<daemon>/<name>. Only this user may be able to write in that directory: whoever could
 * plant a socket there would be taken for this daemon. A descriptor, or a negative errno after saying why.
 */
int daemon_socket(const char *name);

/* DIR/<daemon>/<name> for calling another daemon. To be freed. Aborts on exhaustion. */
char *daemon_socket_path(const char *daemon, const char *name);

/*
 * The uid that a setting names: a user name, a number, or "self". -ENOENT after saying that there is no such user.
 */
int daemon_uid(const char *setting, const char *user, uid_t *ret);

/*
 * Says READY=1, runs until SIGTERM or SIGINT, says STOPPING=1, then calls stop(arg) on a fiber (it may be NULL) and
 * returns once that has ended. Feeds the watchdog meanwhile if there is one. SIGHUP (systemctl reload) is reload(arg), on the
 * loop; without one it ends the program.
 */
void daemon_run(void (*stop)(void *arg), void (*reload)(void *arg), void *arg);

/* One line of status for "systemctl status". */
void daemon_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Since daemon_init(), ms. */
int64_t daemon_up_ms(void);

/* Undoes daemon_init(). */
void daemon_deinit(void);
