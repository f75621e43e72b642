/* Which passwords are accepted, and their hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "authd/login.h"
#include "authd/password.h"
#include "authd/user.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/worker.h"

static const char *const own[] = { "stead", "alice", "127.0.0.1:8080", NULL };

static void test_accepted(void **state)
{
	static const char *const good[] = { "green-lantern-otter-47", "kqz8 vhw2 mtx4 npb7", "Zaunpfahl wirft Schatten",
		"correct horse battery staple seven", "eight tall quiet ravens at dusk", "9384 2750 1639 4826 77",
		"\xC3\xA4\xC3\xB6\xC3\xBC \xC3\x9Fqx \xC3\xA9\xC3\xA8 vwk zj",
		"apple river chair happy", NULL };

	(void)state;
	for (const char *const *p = good; *p; p++)
		assert_null(password_refusal(*p, own));
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "", "kqz8vhw2mtx4np", "aaaaaaaaaaaaaaaaaaaa", "passwordpassword",
		"Password1234567", "P@ssw0rdP@ssw0rd", "qwertyuiopasdfghjkl", "123456789012345", "abcdefghijklmnopqrst",
		"qwerty1234567890", "1qaz2wsx3edc4rfv5tgb", "iloveyouiloveyou", "letmein-letmein!", "alicealicealice1",
		"stead-alice-password", "AliceAtStead12345", "zxcvbnm,zxcvbnm,", "xkq7xkq7xkq7xkq7", "monkeydragon123456",
		"127.0.0.1:8080!!", "passwordpasswordpasswordpassword2024",
		"monkey dragon master", "qwertzuiopasdfghjkl", "Berlin2024Berlin2024", "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F", NULL };
	char long_one[PASSWORD_MOST + 2];

	(void)state;
	for (const char *const *p = bad; *p; p++)
		if (!password_refusal(*p, own))
			fail_msg("\"%s\" was accepted", *p);
	for (size_t i = 0; i < sizeof(long_one) - 1; i++)
		long_one[i] = (char)('a' + i * i % 23);
	long_one[PASSWORD_MOST + 1] = '\0';
	assert_non_null(strstr(password_refusal(long_one, own), "256"));
	long_one[64] = '\0';
	assert_null(password_refusal(long_one, own));
}

static void test_weaker(void **state)
{
	const struct password_cost cost = { 19456, 2 };

	(void)state;
	assert_false(password_is_weaker("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", &cost));
	assert_false(password_is_weaker("$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA", &cost));
	assert_true(password_is_weaker("$argon2id$v=19$m=19455,t=2,p=1$c2FsdA$aGFzaA", &cost));
	assert_true(password_is_weaker("$argon2id$v=19$m=19456,t=1,p=1$c2FsdA$aGFzaA", &cost));
	assert_true(password_is_weaker("$argon2id$v=16$m=19456,t=2,p=1$c2FsdA$aGFzaA", &cost));
	assert_true(password_is_weaker("$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", &cost));
	assert_true(password_is_weaker("rubbish", &cost));
}

static void hashing(void *arg)
{
	const struct password_cost cost = { 64, 1 };
	char one[PASSWORD_ENCODED] = "", two[PASSWORD_ENCODED] = "";
	struct worker_pool *pool = arg;
	int64_t deadline = deadline_in(20000);
	bool right = false;

	assert_int_equal(password_hash(pool, &cost, "green-lantern-otter-47", deadline, one), 0);
	assert_int_equal(password_hash(pool, &cost, "green-lantern-otter-47", deadline, two), 0);
	assert_true(strncmp(one, "$argon2id$v=19$m=64,t=1,p=1$", 28) == 0);
	assert_string_not_equal(one, two); /* salted */
	assert_false(password_is_weaker(one, &cost));
	assert_int_equal(password_verify(pool, one, "green-lantern-otter-47", deadline, &right), 0);
	assert_true(right);
	assert_int_equal(password_verify(pool, one, "green-lantern-otter-48", deadline, &right), 0);
	assert_false(right);
	assert_int_equal(password_verify(pool, "rubbish", "green-lantern-otter-47", deadline, &right), -EBADMSG);
	loop_stop();
}

static void test_hash(void **state)
{
	struct worker_pool *pool;

	(void)state;
	loop_init();
	assert_int_equal(worker_pool_new(1, 1, &pool), 0);
	fiber_start("hashing", hashing, pool, NULL);
	loop_run();
	worker_pool_free(pool);
	loop_deinit();
	fiber_drop_stacks();
}

static void test_names(void **state)
{
	static const char *const good[] = { "alice", "A", "bob.smith-2@example.org", "0x", NULL };
	static const char *const bad[] = { "", ".alice", "@alice", "al ice", "al\nice", "alic\xC3\xA9", "a/b", "a\"b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL };

	(void)state;
	for (const char *const *name = good; *name; name++)
		assert_null(user_name_refusal(*name));
	for (const char *const *name = bad; *name; name++)
		assert_non_null(user_name_refusal(*name));
}

static void test_login_secret(void **state)
{
	struct login_secret a, b, again;

	(void)state;
	assert_int_equal(login_secret_new(&a), 0);
	assert_int_equal(login_secret_new(&b), 0);
	assert_int_equal(strlen(a.cookie), 43);
	assert_int_equal(strspn(a.cookie, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
	assert_string_not_equal(a.cookie, b.cookie);
	assert_int_equal(login_secret_of(a.cookie, &again), 0);
	assert_memory_equal(a.hash, again.hash, 32);
	assert_string_equal(a.name, again.name);
	assert_int_equal(strlen(a.name), 16);
	assert_int_equal(login_secret_of("", &again), -EINVAL);
	assert_int_equal(login_secret_of("short", &again), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_weaker),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_login_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
