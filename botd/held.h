/*
 * Bookings of which something is remembered that need not outlive botd, by number; they are few: a set in memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct held;

struct held *held_new(void);

/* Takes NULL, returns NULL. */
struct held *held_free(struct held *h);

void held_add(struct held *h, int64_t id);

void held_remove(struct held *h, int64_t id);

bool held_has(const struct held *h, int64_t id);
