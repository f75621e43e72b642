/* The service manager's notification protocol: one datagram to $NOTIFY_SOCKET (sd_notify(3)). */
#pragma once

#include <stdint.h>

/* Sends text such as "READY=1"; nothing happens when nobody listens. */
void notify_send(const char *text);

/* How often WATCHDOG=1 is wanted, ms: half of $WATCHDOG_USEC if it is meant for this process, else 0. */
int64_t notify_watchdog_ms(void);
