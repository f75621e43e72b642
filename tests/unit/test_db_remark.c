/* db/remark.c: what is said of a connection string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/remark.h"

static char said[1024];

static void expect_tls(const char *conninfo, bool wanted)
{
	bool any = db_remark(conninfo, "/etc/hostname", said, sizeof(said));

	assert_int_equal(any, *said != '\0');
	if (wanted != (strstr(said, "sslmode=verify-full") != NULL))
		fail_msg("%s: \"%s\"", conninfo, said);
}

static void test_tls(void **state)
{
	(void)state;
	expect_tls("host=/run/postgresql dbname=stead", false);
	expect_tls("dbname=stead", false);
	expect_tls("host=127.0.0.1 dbname=stead", false);
	expect_tls("host=localhost", false);
	expect_tls("hostaddr=::1 host=db.example.org", false);
	expect_tls("host=192.0.2.5", true);
	expect_tls("host=192.0.2.5 sslmode=require", true);
	expect_tls("host=192.0.2.5 sslmode=verify-ca", true);
	expect_tls("host=192.0.2.5 sslmode=verify-full sslrootcert=/etc/stead/ca.pem", false);
	expect_tls("host=db.example.org hostaddr=192.0.2.5", true);
	expect_tls("host=/run/postgresql,192.0.2.5", true);
	expect_tls("host=localhost.evil.example", true);
	expect_tls("postgresql://stead@192.0.2.5/stead", true);
	expect_tls("postgresql://stead@192.0.2.5/stead?sslmode=verify-full", false);
	expect_tls("what is this", false);
}

static void test_password(void **state)
{
	char path[] = "/tmp/stead-remark-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_true(db_remark("dbname=stead password=x", path, said, sizeof(said)));
	assert_non_null(strstr(said, path));
	assert_null(strstr(said, "password=x"));
	assert_true(db_remark("postgresql://a:x@127.0.0.1/stead", path, said, sizeof(said)));
	assert_false(db_remark("dbname=stead", path, said, sizeof(said)));
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_false(db_remark("dbname=stead password=x", path, said, sizeof(said)));
	assert_true(db_remark("dbname=stead password=x", NULL, said, sizeof(said)));
	assert_non_null(strstr(said, "command line"));
	assert_true(db_remark("host=192.0.2.5 password=x", NULL, said, sizeof(said))); /* both */
	assert_non_null(strstr(said, "command line"));
	assert_non_null(strstr(said, "sslmode=prefer"));
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
