/*
 * The numbered 256-bit master keys under which sessiond wraps data keys.
 *
 * They come from a text file, one key a line: "ID:BASE64", ID from 1 to 4294967295, 32 bytes in
 * base64 (RFC 4648 with padding). "#" begins a comment line, empty lines are skipped. The highest
 * ID is the current key; the others only unwrap. To rotate, add a line, restart, rewrap, remove the
 * old line.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"

#define MASTERKEY_LEN 32
#define MASTERKEY_NAME "master-key"
#define MASTERKEY_WHY 512

struct masterkeys;

/*
 * Loads the keys from path, or from path/master-key if path is a directory (as
 * $CREDENTIALS_DIRECTORY). Needs secret_init(). On failure why holds a sentence for the operator,
 * which never quotes a key:
 * -ENOENT and other errors of open(2)
 * -EPERM	others can read or write the file, or it belongs to somebody else
 * -EINVAL	a malformed line (named by number), an ID twice, no regular file
 * -ENODATA	no key in it
 * -EFBIG	larger than 64 KiB
 * -ENOMEM	no memory that may be locked
 */
int masterkeys_load(const char *path, struct masterkeys **ret, char why[static MASTERKEY_WHY]);
struct masterkeys *masterkeys_free(struct masterkeys *keys); /* takes NULL, returns NULL */
void masterkeys_freep(struct masterkeys **keys);

/* The key of that number, owned by keys, or NULL. */
const struct secret *masterkeys_get(const struct masterkeys *keys, uint32_t id);
uint32_t masterkeys_current(const struct masterkeys *keys);
size_t masterkeys_count(const struct masterkeys *keys);

/*
 * Makes a key file with one new key, number 1, mode 0600, and waits until it is on disk. -EEXIST if
 * path exists: it is never overwritten. On failure nothing is left at path.
 */
int masterkey_create_file(const char *path, char why[static MASTERKEY_WHY]);
