/*
 * Bookings of which something is remembered that need not outlive botd, by number; they are few: a set in memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins as { 0 }. */
struct held_set {
	int64_t *ids;
	size_t count;
};

void held_free(struct held_set *h);

void held_add(struct held_set *h, int64_t id);

void held_remove(struct held_set *h, int64_t id);

bool held_has(const struct held_set *h, int64_t id);
