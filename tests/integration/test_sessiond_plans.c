/*
 * The indexes of what sessiond does often, in a vault of 100,000 sessions: PostgreSQL itself logs the plan of each statement
 * that the real program sends (auto_explain), so none is left out and none is a copy.
 */
#include "tests/integration/test_sessiond_daemon.h"

#define ROWS 100000

/* A statement, by a piece of it that no other has; the indexes that its plans have, each at least once. */
static struct expected {
	const char *piece;
	const char *indexes[4];
	int seen[4], plans;
} statements[] = {
	{ .piece = "account, lease_token, protected, fingerprint FROM", .indexes = { "sessions_background", "sessions_fingerprint" } },
	{ .piece = "SELECT version FROM vault.saves", .indexes = { "saves_pkey" } },
	{ .piece = "SELECT nextval('vault.session_ids')", .indexes = { "sessions_fingerprint" } },
	{ .piece = "INSERT INTO vault.sessions", .indexes = { "saves_pkey" } },
	{ .piece = "UPDATE vault.sessions SET account = $5", .indexes = { "sessions_pkey", "saves_pkey" } },
	{ .piece = "UPDATE vault.sessions SET last_version = $4", .indexes = { "sessions_pkey", "saves_pkey" } },
	{ .piece = "SELECT 'session_fetched'", .indexes = { "sessions_background", "sessions_fingerprint" } },
	{ .piece = "SELECT account, last_version AS version, health FROM vault.sessions", .indexes = { "sessions_background", "sessions_fingerprint" } },
	{ .piece = "UPDATE vault.sessions SET used_at", .indexes = { "sessions_pkey" } },
	{ .piece = "UPDATE vault.sessions SET lease_token", .indexes = { "sessions_background", "sessions_fingerprint" } },
	{ .piece = "SELECT lease_until FROM vault.sessions", .indexes = { "sessions_background", "sessions_fingerprint" } },
	{ .piece = "UPDATE vault.sessions SET lease_holder = NULL", .indexes = { "sessions_background", "sessions_fingerprint" } },
	{ .piece = "DELETE FROM vault.ends", .indexes = { "sessions_background", "sessions_fingerprint", "ends_pkey" } },
	{ .piece = "CASE WHEN version = $5 THEN envelope", .indexes = { "sessions_background", "sessions_fingerprint" } },
	{ .piece = "UPDATE vault.sessions SET health = $3", .indexes = { "sessions_pkey" } },
	{ .piece = "FROM vault.sessions WHERE format = 1 AND id > $1", .indexes = { "sessions_format_1" } },
	{ .piece = "SELECT EXISTS (SELECT FROM vault.sessions WHERE format = 1)", .indexes = { "sessions_format_1" } },
	{ .piece = "UPDATE vault.sessions SET format = 2, reason", .indexes = { "sessions_pkey" } },
	{ .piece = "user_id, site, format FROM vault.sessions WHERE id > $1", .indexes = { "sessions_pkey" } },
	{ .piece = "lived_least", .indexes = { "sessions_fingerprint", "ends_pkey" } },
	{ .piece = "SELECT user_id FROM vault.sessions WHERE id = $1", .indexes = { "sessions_pkey" } },
	{ .piece = "SELECT site FROM vault.sessions WHERE id = $1", .indexes = { "sessions_pkey" } },
	{ .piece = "DELETE FROM vault.sessions WHERE id = $1", .indexes = { "sessions_pkey" } },
	{ .piece = "DELETE FROM vault.sessions WHERE user_id = $1", .indexes = { "sessions_fingerprint" } },
	{ .piece = "DELETE FROM vault.sessions WHERE id IN", .indexes = { "sessions_unused", "sessions_pkey" } },
	{ .piece = "WHERE id > $1 AND kind = 'background'", .indexes = { "sessions_pkey" } },
	{ .piece = "FROM vault.audit WHERE id < $1", .indexes = { "audit_pkey" } },
	{ .piece = "INSERT INTO vault.audit (event, detail)", .indexes = { 0 } },
	{ .piece = "vault.key_checks", .indexes = { 0 } }, /* one for each master key there ever was */
	{ .piece = "SELECT EXISTS (SELECT id FROM vault.sessions)", .indexes = { 0 } }, /* the first that comes */
};
#define STATEMENTS (sizeof(statements) / sizeof(*statements))

static void fill(void)
{
	sql_number("ALTER TABLE vault.sessions DISABLE TRIGGER USER;"
		   "INSERT INTO vault.sessions (id, user_id, site, kind, fingerprint, account, version, last_version, health, protected, "
		   "saved_at, proved_at, proof_at, format, key_id, envelope) SELECT nextval('vault.session_ids'), 100 + n / 4, 's' || n %% 4, k, "
		   "CASE k WHEN 'device' THEN 'd' || n ELSE 'bg-' || n END, 'a', 1, 1, 'working', k = 'background', now(), now(), now(), 2, 1, 'x' "
		   "FROM generate_series(1, %d) n, LATERAL (SELECT CASE WHEN n %% 2 = 0 THEN 'device' ELSE 'background' END k) l;"
		   "ALTER TABLE vault.sessions ENABLE TRIGGER USER", ROWS);
	sql_number("INSERT INTO vault.saves SELECT id, 's', user_id, 1, now() FROM vault.sessions");
	sql_number("INSERT INTO vault.ends SELECT id, user_id, now(), now(), now() FROM vault.sessions");
	sql_number("INSERT INTO vault.audit (event) SELECT 'x' FROM generate_series(1, %d)", ROWS);
	sql_number("VACUUM ANALYZE");
}

static void show_and_lease(struct call *c)
{
	const struct session_show_params show = { .site = "desk" };
	struct session_show_result shown;
	const struct session_lease_params device = { .site = "desk", .kind = "device", .fingerprint = "laptop", .holder = "one",
		.ms = 5000 };
	struct session_lease_result leased;
	struct session_release_params release = { .site = "desk" };
	struct session_release_result released;
	struct answer a = vault_lease(&vault, &alice, "one", 60000);

	assert_done(&a);
	release.token = a.token;
	a = vault_lease(&vault, &alice, "another", 60000);
	assert_refused(&a, ERR_busy, "site");
	assert_int_equal(call_session_lease(c, vault.bot, &device, &leased), 0);
	assert_int_equal(call_session_show(c, vault.bot, &show, &shown), 0);
	assert_int_equal(call_session_release(c, vault.bot, &release, &released), 0);
}

static void lists(struct call *own, struct call *all)
{
	struct session_list_params p = {};
	struct session_list_result r;
	struct vault_audit_params ap = {};
	struct vault_audit_result ar;

	assert_int_equal(call_session_list(own, vault.front, &p, &r), 0);
	assert_int_equal(call_vault_audit(all, vault.control, &ap, &ar), 0);
}

static void deletes(struct call *own, struct call *all, int64_t id)
{
	struct session_delete_params p = { .id = id };
	struct session_delete_result r;
	struct session_delete_devices_params dp = {};
	struct session_delete_devices_result dr;

	assert_int_equal(call_session_delete(all, vault.control, &p, &r), REFUSED);
	assert_int_equal(call_session_delete_devices(own, vault.front, &dp, &dr), 0);
	p.confirm_protected = true;
	assert_int_equal(call_session_delete(own, vault.front, &p, &r), 0);
}

static void watch(struct call *c)
{
	struct session_watch_params p = {};
	struct session_watch_item item;
	struct peer_stream *stream;

	assert_int_equal(open_session_watch(c, vault.bot, &p, &stream), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(next_session_watch(stream, &item, deadline_in(10000)), 0);
	peer_stream_close(stream);
}

static void everything(void)
{
	CLEANUP(call_freep) struct call *own = call_new(NULL, &alice, deadline_in(60000));
	CLEANUP(call_freep) struct call *all = call_new(NULL, NULL, deadline_in(60000));
	struct answer first = vault_store(&vault, &alice, (struct save){ "a", .state = "one" }), a;

	assert_done(&first);
	a = vault_store(&vault, &alice, (struct save){ "b", .replaces = 1, .state = "two" });
	a = vault_store(&vault, &alice, (struct save){ "b", .replaces = 1, .state = "two" }); /* once more */
	assert_int_equal(a.version, 2);
	a = vault_store(&vault, &alice, (struct save){ "c", .replaces = 2, .state = "three", .unproved = true });
	assert_done(&a);
	a = vault_store(&vault, &alice, (struct save){ "d", .device = "laptop", .state = "one" });
	a = vault_store(&vault, &alice, (struct save){ "e", .device = "laptop", .replaces = 1, .state = "two" });
	assert_done(&a);
	sql_number("UPDATE vault.sessions SET used_at = now() - interval '2 h' WHERE user_id = 7");
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "three");
	a = vault_fetch_named(&vault, &alice, (struct session_fetch_params){ .session = first.id });
	assert_done(&a);
	a = vault_fetch_named(&vault, &alice,
		(struct session_fetch_params){ .site = "desk", .kind = "device", .fingerprint = "laptop" });
	assert_state(&a, "two");
	show_and_lease(own);
	a = vault_report(&vault, &alice, 3, "needs_sign_in", "It has ended.");
	assert_true(a.changed);
	a = vault_works(&vault, &alice, 3, wall_now(), true);
	assert_true(a.changed);
	lists(own, all);
	watch(all);
	deletes(own, all, first.id);
}

/* Notes what a logged statement is, and complains of one that reads a whole table or that nobody has stated an index for. */
static void look_at_plan(const char *query, const char *plan)
{
	static const char *const tables[] = { "Seq Scan on sessions", "Seq Scan on saves", "Seq Scan on ends",
		"Seq Scan on audit" };
	struct expected *e = statements;

	while (e < statements + STATEMENTS && !strstr(query, e->piece))
		e++;
	if (e == statements + STATEMENTS)
		fail_msg("for this statement no index is stated:\n%s\n%s", query, plan);
	e->plans++;
	for (size_t i = 0; i < 4 && e->indexes[i]; i++)
		e->seen[i] += strstr(plan, e->indexes[i]) != NULL;
	for (size_t i = 0; e->indexes[0] && i < sizeof(tables) / sizeof(*tables); i++)
		if (strstr(plan, tables[i]))
			fail_msg("this reads the whole table:\n%s\n%s", query, plan);
}

/* What auto_explain has logged: lines that go on begin with a tab. */
static void look_at_plans(void)
{
	char path[128], query[4200] = "", plan[16384] = "", line[4200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", cluster.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (*line != '\t' && *query)
			look_at_plan(query, plan);
		if (*line != '\t')
			*query = *plan = '\0';
		else if (strncmp(line, "\tQuery Text: ", 13) == 0 && strstr(line, "vault."))
			snprintf(query, sizeof(query), "%s", line + 13);
		else if (strlen(plan) + strlen(line) < sizeof(plan))
			strcat(plan, line);
	}
	fclose(f);
	if (*query)
		look_at_plan(query, plan);
}

static void await_format_2(void)
{
	int64_t end = deadline_in(60000);

	while (!vault_said(&vault, "all sessions are sealed in format 2")) {
		assert_true(loop_now() < end);
		fiber_sleep_until(deadline_in(20));
	}
}

static void every_statement_has_its_index(void *arg)
{
	(void)arg;
	fill();
	sql_number("UPDATE vault.sessions SET used_at = now() - interval '8 days' WHERE user_id = 100");
	sql_number("UPDATE vault.sessions SET format = 1 WHERE user_id = 200"); /* and cannot be opened */
	sql_number("ALTER ROLE stead_sessiond SET session_preload_libraries = 'auto_explain'");
	sql_number("ALTER ROLE stead_sessiond SET auto_explain.log_min_duration = 0");
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	vault_forget_marks(&vault);
	assert_true(vault_start(&vault));
	everything();
	await_format_2();
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	look_at_plans();
	for (size_t i = 0; i < STATEMENTS; i++) {
		if (statements[i].plans == 0)
			fail_msg("nothing like this was done: %s", statements[i].piece);
		for (size_t k = 0; k < 4 && statements[i].indexes[k]; k++)
			if (statements[i].seen[k] == 0)
				fail_msg("%s is not used by: %s", statements[i].indexes[k], statements[i].piece);
	}
	sql_number("ALTER ROLE stead_sessiond RESET ALL");
}

int main(void)
{
	const struct CMUnitTest tests[] = { VAULT_TEST(every_statement_has_its_index) };

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
