#include "sessiond/masterkey.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/cleanup.h"
#include "common/must.h"
#include "common/span.h"
#include "common/words.h"

#define FILE_MAX 65536
#define KEYS_MAX 256
#define BASE64_LEN 44 /* of 32 bytes, with one '=' */

struct masterkey {
	uint32_t id;
	struct secret *key;
};

struct masterkeys {
	struct masterkey keys[KEYS_MAX];
	size_t count;
	uint32_t current;
};

/* Fills in why and hands the error through. */
#define because(error_, why_, ...) words_fail(error_, why_, MASTERKEY_WHY, __VA_ARGS__)

struct masterkeys *masterkeys_free(struct masterkeys *keys)
{
	if (!keys)
		return NULL;
	for (size_t i = 0; i < keys->count; i++)
		secret_free(keys->keys[i].key);
	free(keys);
	return NULL;
}

void masterkeys_freep(struct masterkeys **keys)
{
	*keys = masterkeys_free(*keys);
}

const struct secret *masterkeys_get(const struct masterkeys *keys, uint32_t id)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i].id == id)
			return keys->keys[i].key;
	return NULL;
}

uint32_t masterkeys_current(const struct masterkeys *keys)
{
	return keys->current;
}

size_t masterkeys_count(const struct masterkeys *keys)
{
	return keys->count;
}

/*
 * systemd grants a credential to the service's user with an ACL on a file of root's, and the mask
 * of that ACL shows in the place of the group's bits: 0440 root:root lets in nobody else.
 */
static bool is_credential(const struct stat *st)
{
	return st->st_uid == 0 && st->st_gid == 0 && (st->st_mode & 07777) == 0440;
}

static int check_file(const char *path, int fd, size_t *ret_size, char *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return because(-errno, why, "cannot look at the master key file %s: %m", path);
	if (!S_ISREG(st.st_mode))
		return because(-EINVAL, why, "the master key %s is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return because(-EPERM, why, "the master key file %s belongs to another user (uid "
			       "%u): give it to the user that sessiond runs as", path, st.st_uid);
	if ((st.st_mode & 077) && !is_credential(&st))
		return because(-EPERM, why, "the master key file %s is open to others (mode %04o): "
			       "chmod 600 it, and consider its keys as seen", path,
			       st.st_mode & 07777);
	if (st.st_size > FILE_MAX)
		return because(-EFBIG, why, "the master key file %s is larger than %d bytes", path,
			       FILE_MAX);
	if (st.st_size == 0)
		return because(-ENODATA, why, "the master key file %s is empty", path);
	*ret_size = (size_t)st.st_size;
	return 0;
}

/* Opens path, or the key file in it. The file that was opened is the one that gets checked. */
static int open_file(const char *path, char *why)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = dir >= 0 ? openat(dir, MASTERKEY_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
			  : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		fd = because(-errno, why, "cannot open the master key file %s%s: %m", path,
			     dir >= 0 ? "/" MASTERKEY_NAME : "");
	closep(&dir);
	return fd;
}

static int masterkey_read_all(int fd, struct secret *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, text->data + done, text->len - done));

		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it shrank */
		done += (size_t)n;
	}
	return 0;
}

static bool is_base64(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') ||
		      (s[i] >= '0' && s[i] <= '9') || s[i] == '+' || s[i] == '/'))
			return false;
	return true;
}

static int decode_key(struct span base64, struct secret **ret)
{
	CLEANUP(secret_freep) struct secret *raw = NULL;
	int r;

	if (base64.n != BASE64_LEN || !is_base64(base64.p, BASE64_LEN - 1) || base64.p[BASE64_LEN - 1] != '=')
		return -EINVAL;
	r = secret_new(MASTERKEY_LEN + 1, &raw); /* the padding decodes to a zero byte */
	if (r)
		return r;
	if (EVP_DecodeBlock(raw->data, (const uint8_t *)base64.p, BASE64_LEN) != MASTERKEY_LEN + 1)
		return -EINVAL;
	return secret_copy(raw->data, MASTERKEY_LEN, ret);
}

/* The digits up to ':', which are cut off the line. */
static bool cut_id(struct span *line, uint32_t *ret)
{
	struct span digits;
	uint64_t id = 0;

	if (!span_cut(line, ':', &digits))
		return false;
	for (size_t i = 0; i < digits.n && id <= UINT32_MAX; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		id = id * 10 + (uint64_t)(digits.p[i] - '0');
	}
	*ret = (uint32_t)id;
	return id > 0 && id <= UINT32_MAX;
}

static int add_line(struct masterkeys *keys, struct span line, const char *path, unsigned int number, char *why)
{
	uint32_t id;
	int r;

	if (line.n == 0 || *line.p == '#')
		return 0;
	if (!cut_id(&line, &id))
		return because(-EINVAL, why, "%s:%u: a line must be ID:BASE64, with a number from "
			       "1 to 4294967295 as its ID", path, number);
	if (masterkeys_get(keys, id))
		return because(-EINVAL, why, "%s:%u: key %u is there twice", path, number, id);
	if (keys->count == KEYS_MAX)
		return because(-EINVAL, why, "%s:%u: more than %d keys", path, number, KEYS_MAX);
	r = decode_key(line, &keys->keys[keys->count].key);
	if (r == -EINVAL)
		return because(r, why, "%s:%u: key %u is not 32 bytes in base64 (44 characters)",
			       path, number, id);
	if (r)
		return because(r, why, "%s:%u: no locked memory for a key: raise LimitMEMLOCK=",
			       path, number);
	keys->keys[keys->count++].id = id;
	if (id > keys->current)
		keys->current = id;
	return 0;
}

static int parse(struct masterkeys *keys, const struct secret *text, const char *path, char *why)
{
	struct span rest = { (const char *)text->data, text->len }, line;
	int r = 0;

	for (unsigned int number = 1; r == 0 && span_next(&rest, "\n", &line); number++)
		r = add_line(keys, line, path, number, why);
	if (r == 0 && keys->count == 0)
		return because(-ENODATA, why, "the master key file %s holds no key", path);
	return r;
}

static int masterkey_read_file(const char *path, struct secret **ret, char *why)
{
	CLEANUP(secret_freep) struct secret *text = NULL;
	CLEANUP(closep) int fd = open_file(path, why);
	size_t size = 0;
	int r;

	if (fd < 0)
		return fd;
	r = check_file(path, fd, &size, why);
	if (r)
		return r;
	r = secret_new(size, &text);
	if (r)
		return because(r, why, "no locked memory to read the master key file %s: raise "
			       "LimitMEMLOCK=", path);
	r = masterkey_read_all(fd, text);
	if (r)
		return because(r, why, "cannot read the master key file %s: %s", path,
			       strerror(-r));
	*ret = TAKE(text);
	return 0;
}

int masterkeys_load(const char *path, struct masterkeys **ret, char why[static MASTERKEY_WHY])
{
	CLEANUP(masterkeys_freep) struct masterkeys *keys = NULL;
	CLEANUP(secret_freep) struct secret *text = NULL;
	int r;

	*why = '\0';
	r = masterkey_read_file(path, &text, why);
	if (r)
		return r;
	keys = must(calloc(1, sizeof(*keys)));
	r = parse(keys, text, path, why);
	if (r)
		return r;
	*ret = TAKE(keys);
	return 0;
}

/* "1:" BASE64 "\n" of a new key. */
static int make_line(struct secret **ret)
{
	CLEANUP(secret_freep) struct secret *key = NULL;
	CLEANUP(secret_freep) struct secret *line = NULL;
	int r = secret_new(MASTERKEY_LEN, &key);

	if (!r)
		r = secret_new(2 + BASE64_LEN + 1, &line);
	if (r)
		return r;
	if (RAND_priv_bytes(key->data, MASTERKEY_LEN) != 1)
		return -EIO;
	memcpy(line->data, "1:", 2);
	EVP_EncodeBlock(line->data + 2, key->data, MASTERKEY_LEN);
	line->data[line->len - 1] = '\n'; /* in the place of EncodeBlock's NUL */
	*ret = TAKE(line);
	return 0;
}

static int sync_directory(const char *path)
{
	CLEANUP(freep) char *copy = must(strdup(path));
	CLEANUP(closep) int dir = -1;

	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || fsync(dir) < 0 ? -errno : 0;
}

static int masterkey_write_line(int fd, const char *path, const struct secret *line)
{
	static const char comment[] = "# Master keys of sessiond: ID:BASE64. Whoever has them can "
				      "read every session.\n";

	if (write(fd, comment, sizeof(comment) - 1) != (ssize_t)(sizeof(comment) - 1) ||
	    write(fd, line->data, line->len) != (ssize_t)line->len)
		return errno ? -errno : -ENOSPC;
	if (fsync(fd) < 0)
		return -errno;
	return sync_directory(path);
}

int masterkey_create_file(const char *path, char why[static MASTERKEY_WHY])
{
	CLEANUP(secret_freep) struct secret *line = NULL;
	CLEANUP(closep) int fd = -1;
	int r = make_line(&line);

	*why = '\0';
	if (r)
		return because(r, why, "cannot make a master key: %s", strerror(-r));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return because(-errno, why, "cannot create the master key file %s: %m", path);
	errno = 0;
	r = masterkey_write_line(fd, path, line);
	if (r) {
		unlink(path);
		return because(r, why, "cannot write the master key file %s: %s", path,
			       strerror(-r));
	}
	return 0;
}
