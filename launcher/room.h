/* How much room there is for a browser's profile: on a full disk a browser starts, and then forgets what it is told. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a profile takes at least. */
#define ROOM_LEAST_KIB (32 * 1024)

/* KiB that the user who asks may still write below dir, or a negative errno. */
int64_t room_kib(const char *dir);

/* 0, or -ENOSPC with a sentence in why (size bytes) if there are less than least KiB; a directory that cannot be asked has room. */
int room_check(const char *dir, int64_t least, char *why, size_t size);
