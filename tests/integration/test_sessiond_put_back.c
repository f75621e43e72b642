/*
 * Rows that somebody puts back as they were, with their seals unbroken: an older state, one of another account, one of a
 * session that was forgotten, a whole database of yesterday. What is restored from a backup the administrator accepts.
 */
#include "tests/integration/test_sessiond_daemon.h"

static struct answer store(const char *name, int64_t replaces, const char *state, bool unproved)
{
	return vault_store(&vault, &alice, (struct save){ name, .replaces = replaces, .state = state, .unproved = unproved });
}

static void keep_aside(void)
{
	sql_number("DROP TABLE IF EXISTS aside; CREATE TABLE aside AS TABLE vault.sessions");
}

static void put_back(void)
{
	sql_number("DELETE FROM vault.sessions; INSERT INTO vault.sessions TABLE aside");
}

static struct sessiond_status_result status(struct call **ret_call)
{
	struct sessiond_status_params p = {};
	struct sessiond_status_result r;

	*ret_call = call_new(NULL, NULL, deadline_in(20000));
	assert_int_equal(call_sessiond_status(*ret_call, vault.control, &p, &r), 0);
	return r;
}

static void assert_told(int64_t count)
{
	CLEANUP(call_freep) struct call *c = NULL;
	struct sessiond_status_result r = status(&c);

	assert_int_equal(r.put_back, count);
	assert_true(count ? strstr(r.put_back_trouble, "vault accept-restore") != NULL : !r.put_back_trouble);
}

static int64_t audited(void)
{
	return sql_number("SELECT count(*) FROM vault.audit WHERE event = 'session_put_back' AND user_id = 7");
}

static void assert_refuses(void)
{
	struct answer a = vault_fetch(&vault, &alice, "desk");

	assert_refused(&a, ERR_vault_refused, "");
	assert_non_null(strstr(a.message, "put it back"));
}

static void accept_restore(int64_t expected)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(20000));
	struct vault_accept_restore_params p = {};
	struct vault_accept_restore_result r;

	assert_int_equal(call_vault_accept_restore(c, vault.control, &p, &r), 0);
	assert_int_equal(r.accepted, expected);
}

/* Nothing is left of what an earlier test has put back: it stays until it is accepted, or its person has signed in again. */
static void calm(void)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(20000));
	struct vault_accept_restore_params p = {};
	struct vault_accept_restore_result r;

	assert_int_equal(call_vault_accept_restore(c, vault.control, &p, &r), 0);
}

static void of_another_account(void *arg)
{
	struct answer a = store("s1", 0, "as a", false);
	int64_t before = audited();

	(void)arg;
	assert_done(&a);
	keep_aside();
	a = vault_store(&vault, &alice,
		(struct save){ "s2", .account = "b@example.org", .in_place_of = "a@example.org", .state = "as b" });
	assert_done(&a);
	put_back();
	assert_refuses();
	assert_refuses();
	assert_told(1);
	a = store("s2b", 1, "grown from what was put back", true);
	assert_refused(&a, ERR_conflict, "replaces");
	a = vault_works(&vault, &alice, 1, wall_now(), true); /* nor does a proof make it good */
	assert_false(a.changed);
	assert_refuses();
	assert_int_equal(audited(), before + 1); /* once, however often it is tried */
	assert_true(vault_said(&vault, " (desk) was put back as it was: it is of version 1, the last that was seen is 2"));
	a = vault_store(&vault, &alice, (struct save){ "s3", .state = "signed in again" });
	assert_done(&a);
	assert_int_equal(a.version, 3); /* not 2, which somebody else had */
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "signed in again");
	assert_told(0);
}

/* The state alone, in a row whose numbers are those of today. */
static void state_alone(void *arg)
{
	struct answer a = store("s1", 0, "one", false);

	(void)arg;
	keep_aside();
	a = store("s2", 1, "two", false);
	assert_done(&a);
	sql_number("UPDATE vault.sessions s SET version = a.version, envelope = a.envelope, proof_at = a.proof_at FROM aside a");
	assert_refuses();
	put_back();
	a = vault_store(&vault, &alice, (struct save){ "s3", .state = "three" });
	assert_int_equal(a.version, 3);
	a = store("s4", 3, "four", true);
	keep_aside();
	a = vault_works(&vault, &alice, 3, wall_now(), true); /* the newest is dropped: it was dead */
	assert_done(&a);
	sql_number("UPDATE vault.sessions s SET newest_version = a.newest_version, newest_at = a.newest_at, "
		   "newest_key_id = a.newest_key_id, newest_envelope = a.newest_envelope FROM aside a");
	assert_refuses();
}

static void restart(int signal)
{
	vault_stop(&vault, signal);
	assert_true(vault_start(&vault));
}

static void await_told(int64_t count)
{
	int64_t end = deadline_in(20000);
	CLEANUP(call_freep) struct call *c = NULL;

	while (status(&c).put_back != count) {
		assert_true(loop_now() < end);
		c = call_free(c);
		fiber_sleep_until(deadline_in(10));
	}
}

static void forget(int64_t id)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, deadline_in(20000));
	struct session_delete_params p = { .id = id, .confirm_protected = true };
	struct session_delete_result r;

	assert_int_equal(call_session_delete(c, vault.front, &p, &r), 0);
}

static void forgotten(void *arg)
{
	struct answer a = store("s1", 0, "one", false);

	(void)arg;
	calm();
	keep_aside();
	forget(a.id);
	put_back();
	assert_refuses();
	assert_told(1);
	restart(SIGKILL); /* it is remembered, whatever becomes of sessiond */
	assert_refuses();
	assert_told(1);
	forget(a.id);
	assert_told(0);
}

/* Deleted at the database, or by another sessiond: it is taken for forgotten once that has been seen. */
static void gone_elsewhere(void *arg)
{
	struct answer a = store("s1", 0, "one", false);
	int64_t end = deadline_in(20000);

	(void)arg;
	calm();
	a = vault_store(&vault, &bob, (struct save){ "b1", .state = "bob's" });
	assert_done(&a);
	keep_aside();
	vault_stop(&vault, SIGTERM);
	vault_forget_log(&vault);
	sql_number("DELETE FROM vault.sessions WHERE user_id = 7");
	assert_true(vault_start(&vault));
	while (!vault_said(&vault, "sessions are not there any more that were not forgotten here")) {
		assert_true(loop_now() < end);
		fiber_sleep_until(deadline_in(5));
	}
	a = vault_fetch(&vault, &bob, "desk");
	assert_state(&a, "bob's");
	put_back();
	assert_refuses();
	a = vault_fetch(&vault, &bob, "desk");
	assert_state(&a, "bob's");
}

/* While nobody uses the session: noticed when sessiond starts, or comes to its database again. */
static void noticed_at_start(void *arg)
{
	struct answer a = store("s1", 0, "one", false);

	(void)arg;
	calm();
	keep_aside();
	a = store("s2", 1, "two", false);
	assert_done(&a);
	vault_stop(&vault, SIGTERM);
	put_back();
	assert_true(vault_start(&vault));
	await_told(1);
	assert_refuses();
}

static void restored_backup(void *arg)
{
	struct answer a = store("s1", 0, "one", false), gym, late;

	(void)arg;
	calm();
	gym = vault_store(&vault, &alice, (struct save){ "g1", .site = "gym", .state = "gym" });
	keep_aside();
	a = store("s2", 1, "two", false);
	forget(gym.id);
	late = vault_store(&vault, &alice, (struct save){ "l1", .site = "late", .state = "not in the backup" });
	assert_done(&late);
	put_back();
	restart(SIGTERM);
	await_told(2);
	accept_restore(2);
	assert_told(0);
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "one");
	a = vault_fetch(&vault, &alice, "gym");
	assert_state(&a, "gym");
	assert_int_equal(sql_number("SELECT (detail = 'vault_accept_restore')::int FROM vault.audit WHERE event = 'steadctl' ORDER BY id DESC"), 1);
	a = store("s3", 1, "three", false);
	assert_int_equal(a.version, 3); /* that of the lost 2 is not given again */
	sql_number("SELECT setval('vault.session_ids', %lld, false)", (long long)late.id);
	a = vault_store(&vault, &alice, (struct save){ "n1", .site = "new", .state = "with a number that was given before" });
	assert_int_equal(a.id, late.id);
	assert_int_equal(a.version, 2);
	accept_restore(0);
}

/* Saves and fetches of one session at once: none is taken for put back, however they overlap. */

#define ROUNDS 60

static void write_on(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		char name[24];
		struct answer a;

		snprintf(name, sizeof(name), "%s %d", (const char *)arg, i);
		a = store(name, 0, name, false);
		assert_done(&a);
		if (i % 3 == 0)
			vault_works(&vault, &alice, a.version, wall_now(), true);
	}
}

static void read_on(void *)
{
	for (int i = 0; i < 2 * ROUNDS; i++) {
		struct answer a = vault_fetch(&vault, &alice, "desk");

		assert_done(&a);
	}
}

static void none_for_nothing(void *arg)
{
	struct fiber *fibers[4];
	struct answer a = store("s1", 0, "one", false);

	(void)arg;
	calm();
	assert_done(&a);
	fiber_start("writer", write_on, "a", &fibers[0]);
	fiber_start("writer", write_on, "b", &fibers[1]);
	fiber_start("reader", read_on, NULL, &fibers[2]);
	fiber_start("reader", read_on, NULL, &fibers[3]);
	for (int i = 0; i < 4; i++)
		fiber_join(&fibers[i]);
	assert_told(0);
}

/* Somebody changes the row to and fro while it is read: what is handed out is never what was put back. */

static void fetch_one(void *arg)
{
	*(struct answer *)arg = vault_fetch(&vault, &alice, "desk");
}

static void become(const char *table)
{
	sql_number("UPDATE vault.sessions s SET version = a.version, last_version = a.last_version, envelope = a.envelope, "
		   "proof_at = a.proof_at, account = a.account FROM %s a", table);
}

static void to_and_fro(void *arg)
{
	struct fiber *fibers[4];
	struct answer answers[4], a = store("s1", 0, "old", false);

	(void)arg;
	calm();
	keep_aside();
	a = store("s2", 1, "new", false);
	assert_done(&a);
	sql_number("DROP TABLE IF EXISTS current_rows; CREATE TABLE current_rows AS TABLE vault.sessions");
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 4; i++)
			fiber_start("reader", fetch_one, &answers[i], &fibers[i]);
		fiber_yield();
		become(round % 2 ? "aside" : "current_rows");
		fiber_sleep_until(deadline_in(round % 4));
		become(round % 2 ? "current_rows" : "aside");
		for (int i = 0; i < 4; i++) {
			fiber_join(&fibers[i]);
			if (answers[i].r == 0)
				assert_state(&answers[i], "new");
		}
	}
	sql_number("DROP TABLE current_rows");
}

/* What another sessiond saves is newer than what this one has seen, and is as good. */
static void of_another_host(void *arg)
{
	struct vault other;
	struct answer a = store("s1", 0, "one", false);
	char command[300];

	(void)arg;
	calm();
	vault_paths(&other, "b");
	snprintf(command, sizeof(command), "cp -p '%s' '%s'", vault.keys, other.keys);
	assert_int_equal(system(command), 0);
	assert_true(vault_start(&other));
	a = vault_store(&other, &alice, (struct save){ "s2", .replaces = 1, .state = "two" });
	a = vault_store(&other, &alice, (struct save){ "s3", .replaces = 2, .state = "three", .unproved = true });
	assert_done(&a);
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "three");
	a = vault_works(&other, &alice, 2, wall_now(), true);
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "two");
	assert_told(0);
	vault_free(&other);
}

static void one_at_a_time(void *arg)
{
	struct vault other = vault;

	(void)arg;
	other.front = NULL;
	assert_false(vault_start(&other));
	assert_true(vault_said(&vault, "another sessiond has it open"));
	vault_free(&other);
	vault_stop(&vault, SIGTERM);
	vault.more = "state_dir=";
	assert_false(vault_start(&vault));
	assert_true(vault_said(&vault, "give the unit StateDirectory=, or set state_dir"));
	vault.more = NULL;
	assert_true(vault_start(&vault));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(of_another_account), VAULT_TEST(state_alone), VAULT_TEST(forgotten), VAULT_TEST(gone_elsewhere),
		VAULT_TEST(noticed_at_start), VAULT_TEST(restored_backup), VAULT_TEST(none_for_nothing), VAULT_TEST(to_and_fro),
		VAULT_TEST(of_another_host), VAULT_TEST(one_at_a_time),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
