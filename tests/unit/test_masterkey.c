#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/secret.h"
#include "sessiond/masterkey.h"

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define COUNTING "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" /* 00 01 02 ... 1f */

static char dir[] = "/tmp/test_masterkey.XXXXXX";
static char path[64];
static char why[MASTERKEY_WHY];

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/master-key", dir);
	return secret_init(SECRET_HEAP_DEFAULT);
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void put_file(const char *text, mode_t mode)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

static void refused(const char *text, mode_t mode, int error, const char *words)
{
	struct masterkeys *keys = NULL;

	put_file(text, mode);
	memset(why, 0, sizeof(why));
	assert_int_equal(masterkeys_load(path, &keys, why), error);
	assert_null(keys);
	if (!strstr(why, words))
		fail_msg("'%s' does not say '%s'", why, words);
	if (strstr(why, "AAAAAA"))
		fail_msg("a key in a message: %s", why);
	unlink(path);
}

static void test_load(void **state)
{
	CLEANUP(masterkeys_freep) struct masterkeys *keys = NULL;
	const struct secret *key;

	(void)state;
	put_file("# old\n3:" ZEROS "\n\n12:" COUNTING "\n7:" ZEROS, 0600);
	assert_int_equal(masterkeys_load(path, &keys, why), 0);
	assert_int_equal(masterkeys_count(keys), 3);
	assert_int_equal(masterkeys_current(keys), 12);
	key = masterkeys_get(keys, 12);
	assert_int_equal(key->len, 32);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(key->data[i], i);
	assert_non_null(masterkeys_get(keys, 3));
	assert_null(masterkeys_get(keys, 4));
	assert_null(masterkeys_get(keys, 0));
}

static void test_load_from_directory(void **state)
{
	CLEANUP(masterkeys_freep) struct masterkeys *keys = NULL;

	(void)state;
	put_file("4294967295:" ZEROS "\n", 0400);
	assert_int_equal(masterkeys_load(dir, &keys, why), 0);
	assert_int_equal(masterkeys_current(keys), UINT32_MAX);
}

static void test_open_to_others(void **state)
{
	static const mode_t modes[] = { 0604, 0602, 0601, 0640, 0620, 0660, 0644, 0444 };

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		refused("1:" ZEROS "\n", modes[i], -EPERM, "open to others");
}

/* What systemd's credentials look like through an ACL. */
static void test_credential_of_root(void **state)
{
	CLEANUP(masterkeys_freep) struct masterkeys *keys = NULL;

	(void)state;
	if (geteuid() != 0) {
		refused("1:" ZEROS "\n", 0440, -EPERM, "open to others");
		return;
	}
	put_file("1:" ZEROS "\n", 0440);
	assert_int_equal(masterkeys_load(path, &keys, why), 0);
	assert_int_equal(chown(path, 0, 65534), 0);
	keys = masterkeys_free(keys);
	assert_int_equal(masterkeys_load(path, &keys, why), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_int_equal(masterkeys_load(path, &keys, why), -EPERM);
	assert_non_null(strstr(why, "another user"));
}

static void test_malformed(void **state)
{
	(void)state;
	refused("1:" ZEROS "\nnonsense\n", 0600, -EINVAL, "master-key:2: a line must be");
	refused("\n#\n\n0:" ZEROS "\n", 0600, -EINVAL, ":4: ");
	refused("4294967296:" ZEROS "\n", 0600, -EINVAL, ":1: ");
	refused("99999999999999999999999:" ZEROS "\n", 0600, -EINVAL, ":1: ");
	refused("-1:" ZEROS "\n", 0600, -EINVAL, ":1: ");
	refused(" 1:" ZEROS "\n", 0600, -EINVAL, ":1: ");
	refused(":" ZEROS "\n", 0600, -EINVAL, ":1: ");
	refused("1\n", 0600, -EINVAL, ":1: ");
	refused("1:\n", 0600, -EINVAL, "not 32 bytes");
	refused("1:" ZEROS "\r\n", 0600, -EINVAL, "not 32 bytes");
	refused("1:" ZEROS " \n", 0600, -EINVAL, "not 32 bytes");
	refused("1: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0600, -EINVAL, "key 1 is not");
	refused("5:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", 0600, -EINVAL, "key 5 is not");
	refused("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n", 0600, -EINVAL, "not 32");
	refused("1:AAAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAA=\n", 0600, -EINVAL, "not 32");
	refused("2:" ZEROS "\n2:" ZEROS "\n", 0600, -EINVAL, ":2: key 2 is there twice");
}

static void test_no_key(void **state)
{
	struct masterkeys *keys = NULL;

	(void)state;
	refused("", 0600, -ENODATA, "empty");
	refused("# nothing\n\n", 0600, -ENODATA, "holds no key");
	assert_int_equal(masterkeys_load(path, &keys, why), -ENOENT);
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(masterkeys_load(dir, &keys, why), -ENOENT);
	assert_non_null(strstr(why, "/master-key: No such file"));
	assert_int_equal(masterkeys_load("/dev/null", &keys, why), -EINVAL);
	assert_non_null(strstr(why, "regular"));
	assert_null(keys);
}

static void test_too_large(void **state)
{
	char *text = calloc(1, 70000);

	(void)state;
	memset(text, '#', 69999);
	refused(text, 0600, -EFBIG, "larger");
	free(text);
}

static void test_create(void **state)
{
	CLEANUP(masterkeys_freep) struct masterkeys *keys = NULL;
	CLEANUP(masterkeys_freep) struct masterkeys *other = NULL;
	CLEANUP(secret_freep) struct secret *first = NULL;
	const struct secret *key;
	struct stat st;

	(void)state;
	umask(0);
	assert_int_equal(masterkey_create_file(path, why), 0);
	umask(022);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(masterkeys_load(path, &keys, why), 0);
	assert_int_equal(masterkeys_current(keys), 1);
	key = masterkeys_get(keys, 1);
	assert_int_equal(secret_copy(key->data, key->len, &first), 0);
	/* never overwritten */
	assert_int_equal(masterkey_create_file(path, why), -EEXIST);
	assert_non_null(strstr(why, path));
	assert_int_equal(masterkeys_load(path, &other, why), 0);
	assert_true(secret_equal(first, masterkeys_get(other, 1)));
	/* another file, another key */
	unlink(path);
	other = masterkeys_free(other);
	assert_int_equal(masterkey_create_file(path, why), 0);
	assert_int_equal(masterkeys_load(path, &other, why), 0);
	assert_false(secret_equal(first, masterkeys_get(other, 1)));
}

static void test_create_failures(void **state)
{
	char link[80];

	(void)state;
	assert_int_equal(masterkey_create_file("/nonexistent/master-key", why), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent/master-key"));
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(masterkey_create_file(link, why), -EEXIST);
	assert_int_equal(access(path, F_OK), -1);
	unlink(link);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_load), T(test_load_from_directory), T(test_open_to_others),
		T(test_credential_of_root), T(test_malformed), T(test_no_key), T(test_too_large),
		T(test_create), T(test_create_failures),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
