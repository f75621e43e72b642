/*
 * How often db/ waits for the server, and what it makes of an answer that never arrives: seen and
 * done by a proxy between the two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/cleanup.h"
#include "db/db.h"
#include "tests/integration/test_db_cluster.h"
#include "tests/unit/db_row.h"

/* Row i of a result that has it. */
static struct db *db;

/*
 * The proxy: one connection at a time, on a thread of its own, so that it answers while the loop
 * sleeps.
 */

static char proxy_dir[80];
static int proxy_fd;
static pthread_t proxy_thread;
static atomic_int turns;    /* how often the client spoke after the server had */
static atomic_bool swallow; /* the server's next answer is dropped, and the connection with it */

static struct sockaddr_un address(const char *dir)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/.s.PGSQL.5432", dir);
	return addr;
}

static bool pass(int from, int to)
{
	char buffer[65536];
	ssize_t n = recv(from, buffer, sizeof(buffer), 0);

	return n > 0 && send(to, buffer, (size_t)n, MSG_NOSIGNAL) == n;
}

static void relay(int client, int server)
{
	struct pollfd fds[] = { { .fd = client, .events = POLLIN },
		{ .fd = server, .events = POLLIN } };
	bool server_spoke = true;

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents) {
			turns += server_spoke;
			server_spoke = false;
			if (!pass(client, server))
				return;
		}
		if (fds[1].revents) {
			server_spoke = true;
			if (atomic_exchange(&swallow, false) || !pass(server, client))
				return;
		}
	}
}

static void *proxy(void *arg)
{
	struct sockaddr_un to = address(cluster.dir);
	int client;
	(void)arg;

	while ((client = accept(proxy_fd, NULL, NULL)) >= 0) {
		int server = socket(AF_UNIX, SOCK_STREAM, 0);

		if (connect(server, (struct sockaddr *)&to, sizeof(to)) == 0)
			relay(client, server);
		close(server);
		close(client);
	}
	return NULL;
}

static void proxy_start(void)
{
	struct sockaddr_un addr;

	snprintf(proxy_dir, sizeof(proxy_dir), "%s/proxy", cluster.dir);
	assert_int_equal(0, mkdir(proxy_dir, 0755));
	addr = address(proxy_dir);
	proxy_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(0, bind(proxy_fd, (struct sockaddr *)&addr, sizeof(addr)));
	assert_int_equal(0, listen(proxy_fd, 4));
	assert_int_equal(0, pthread_create(&proxy_thread, NULL, proxy, NULL));
}

static int set_up(void **state)
{
	char conninfo[160];

	assert_int_equal(0, cluster_set_up(state));
	proxy_start();
	cluster_sql(&cluster,
		"CREATE TABLE plain (id bigint PRIMARY KEY, n bigint); CREATE ROLE operator");
	snprintf(conninfo, sizeof(conninfo), "host=%s user=postgres dbname=postgres", proxy_dir);
	return db_new(&(struct db_config){ .conninfo = conninfo, .size = 1 }, &db);
}

static int tear_down(void **state)
{
	db_freep(&db);
	shutdown(proxy_fd, SHUT_RDWR); /* ends its accept() */
	pthread_join(proxy_thread, NULL);
	close(proxy_fd);
	return cluster_tear_down(state);
}

static void warm_up(void)
{
	assert_int_equal(0, db_read(db, DB_SELF, deadline_in(20000), NULL, "SELECT 1"));
	turns = 0;
}

static void one_statement(void *arg)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int64_t soon = deadline_in(20000);
	(void)arg;

	warm_up();
	/*
	 * BEGIN, identity, time limit, statement and COMMIT: the statement's first time,
	 * preparation included
	 */
	assert_int_equal(0, db_query(db, DB_USER(7), soon, NULL,
				    "INSERT INTO plain VALUES ($1, $2)", DB_INT(1), DB_INT(2)));
	assert_int_equal(1, turns);
	assert_int_equal(
		0, db_read(db, DB_ROLE("operator"), soon, &res, "SELECT current_user::text AS u"));
	assert_int_equal(2, turns);
	assert_string_equal("operator", row_text(ROW(res, 0), "u"));
	/* a refusal and the ROLLBACK behind it, which nobody waits for */
	assert_int_equal(
		-EEXIST, db_query(db, DB_USER(7), soon, NULL, "INSERT INTO plain VALUES ($1, $2)",
				 DB_INT(1), DB_INT(2)));
	assert_int_equal(0, db_read(db, DB_USER(7), soon, NULL, "SELECT 1"));
	assert_int_equal(5, turns);
}

static void test_one_statement(void **state)
{
	(void)state;
	in_fiber(one_statement, NULL);
}

static void several_statements(void *arg)
{
	struct db_tx *tx = NULL;
	(void)arg;

	warm_up();
	assert_int_equal(0, db_begin(db, DB_USER(7), deadline_in(20000), &tx));
	assert_int_equal(0, turns);
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain VALUES (10, 0)"));
	assert_int_equal(1, turns);
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain VALUES (11, 0)"));
	assert_int_equal(2, turns);
	assert_int_equal(0, db_commit_query(&tx, NULL, "INSERT INTO plain VALUES (12, 0)"));
	assert_int_equal(3, turns);
	assert_int_equal(0, db_begin(db, DB_USER(7), deadline_in(20000), &tx));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain VALUES (13, 0)"));
	assert_int_equal(0, db_commit(&tx));
	assert_int_equal(5, turns);
}

static void test_several_statements(void **state)
{
	(void)state;
	in_fiber(several_statements, NULL);
}

/* The work is done, or not; what is lost is the answer. */
static void lost_answer(void *arg)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	struct db_tx *tx = NULL;
	int64_t soon = deadline_in(20000);
	(void)arg;

	warm_up();
	swallow = true; /* COMMIT went with it: only looking can tell */
	assert_int_equal(-EINPROGRESS,
		db_query(db, DB_USER(7), soon, NULL, "INSERT INTO plain VALUES (20, 0)"));
	assert_int_equal(
		0, db_read(db, DB_USER(7), soon, &res, "SELECT n FROM plain WHERE id = 20"));
	assert_int_equal(1, db_rows(res));
	res = db_result_free(res);

	swallow = true; /* nothing to keep: asked again */
	assert_int_equal(0, db_read(db, DB_USER(7), soon, NULL, "SELECT n FROM plain"));

	swallow = true; /* no COMMIT yet, and nothing before: done again on another connection */
	assert_int_equal(0, db_begin(db, DB_USER(7), soon, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain VALUES (21, 0)"));
	swallow = true; /* something before: the transaction is gone */
	assert_int_equal(-ENOTCONN, tx_query(tx, NULL, "INSERT INTO plain VALUES (22, 0)"));
	assert_int_equal(-ENOTCONN, db_commit(&tx));

	assert_int_equal(0, db_begin(db, DB_USER(7), soon, &tx));
	assert_int_equal(0, tx_query(tx, NULL, "INSERT INTO plain VALUES (23, 0)"));
	swallow = true;
	assert_int_equal(-EINPROGRESS, db_commit(&tx));
	assert_int_equal(0, db_read(db, DB_USER(7), soon, &res,
				    "SELECT id FROM plain WHERE id > 19 ORDER BY id"));
	assert_int_equal(2, db_rows(res));
	assert_int_equal(23, row_int(ROW(res, 1), "id"));
}

static void test_lost_answer(void **state)
{
	(void)state;
	in_fiber(lost_answer, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_statement),
		cmocka_unit_test(test_several_statements),
		cmocka_unit_test(test_lost_answer),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
