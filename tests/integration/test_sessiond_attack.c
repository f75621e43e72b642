/*
 * sessiond against whoever can write to its database, holds the wrong key, or asks on the wrong
 * socket.
 */
#include "tests/integration/test_sessiond_frames.h"

#include <sys/mman.h>

static void save_one(const struct acting *who, const char *site, const char *state)
{
	struct answer a =
		vault_store(&vault, who, (struct save){ "s1", .site = site, .state = state });

	assert_done(&a);
}

/* As a role and for a user, by hand; its SQLSTATE, or the first value. */
static void as_role(const char *role, int64_t user, const char *sql, char *ret, size_t size)
{
	char text[1024];
	PGconn *pg = cluster_connect(&cluster);
	PGresult *res;

	snprintf(text, sizeof(text),
		"SET ROLE %s; SELECT set_config('stead.user', NULLIF('%lld', '0'), false)", role,
		(long long)user);
	res = PQexec(pg, text);
	assert_int_equal(PQresultStatus(res), PGRES_TUPLES_OK);
	PQclear(res);
	res = PQexec(pg, sql);
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		snprintf(ret, size, "%s", PQntuples(res) ? PQgetvalue(res, 0, 0) : "");
	else if (PQresultStatus(res) == PGRES_COMMAND_OK)
		snprintf(ret, size, "%s", PQcmdTuples(res));
	else
		snprintf(ret, size, "%s", PQresultErrorField(res, PG_DIAG_SQLSTATE));
	PQclear(res);
	PQfinish(pg);
}

static void assert_sql(const char *role, int64_t user, const char *sql, const char *expected)
{
	char got[128];

	as_role(role, user, sql, got, sizeof(got));
	if (strcmp(got, expected) != 0)
		fail_msg("as %s for user %lld: %s\ngives \"%s\", not \"%s\"", role, (long long)user,
			sql, got, expected);
}

#define DENIED "42501"

static void rows_of_others(void *arg)
{
	static const char insert[] =
		"INSERT INTO vault.sessions (id, user_id, site, kind, fingerprint, account, "
		"version, last_version, health, protected, saved_at, proved_at, key_id, envelope) VALUES (99, 8, "
		"'x', 'background', 'f', 'a', 1, 1, 'working', true, now(), now(), 1, '')";

	(void)arg;
	save_one(&alice, "desk", "alice's");
	save_one(&bob, "desk", "bob's");
	assert_sql("stead_sessiond", 7, "SELECT count(*) FROM vault.sessions", "1");
	assert_sql(
		"stead_sessiond", 7, "SELECT count(*) FROM vault.sessions WHERE user_id = 8", "0");
	assert_sql("stead_sessiond", 7, "SELECT count(*) FROM vault.saves WHERE user_id = 8", "0");
	assert_sql("stead_sessiond", 0, "SELECT count(*) FROM vault.sessions", "0");
	assert_sql("stead_sessiond", 7,
		"UPDATE vault.sessions SET health = 'working' WHERE user_id = 8", "0");
	assert_sql("stead_sessiond", 7, "DELETE FROM vault.sessions WHERE user_id = 8", "0");
	assert_sql("stead_sessiond", 7, insert, DENIED);
	assert_sql("stead_sessiond", 7, "UPDATE vault.sessions SET user_id = 8", DENIED);
	assert_sql("stead_sessiond", 7, "DELETE FROM vault.key_checks", DENIED);
	assert_sql("stead_sessiond", 7, "UPDATE vault.key_checks SET envelope = ''", DENIED);
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions"), 2);
}

/* The roles that see all persons' rows see no more of them than they need. */
static void roles_beside(void *arg)
{
	(void)arg;
	save_one(&alice, "desk", "alice's");
	assert_sql("stead_operator", 0, "SELECT count(id) FROM vault.sessions", "1");
	assert_sql("stead_operator", 0, "SELECT envelope FROM vault.sessions", DENIED);
	assert_sql("stead_operator", 0, "SELECT fingerprint FROM vault.sessions", DENIED);
	assert_sql("stead_operator", 0, "UPDATE vault.sessions SET health = 'working'", DENIED);
	assert_sql("stead_rewrapper", 0, "UPDATE vault.sessions SET key_id = key_id", "1");
	assert_sql("stead_rewrapper", 0, "UPDATE vault.sessions SET version = 2, last_version = 2", DENIED);
	assert_sql("stead_rewrapper", 0, "UPDATE vault.sessions SET newest_key_id = newest_key_id", "1");
	assert_sql("stead_rewrapper", 0, "UPDATE vault.sessions SET newest_version = 2", DENIED);
	assert_sql("stead_operator", 0, "SELECT newest_envelope FROM vault.sessions", DENIED);
	assert_sql("stead_sessiond", 7, "SELECT count(*) FROM vault.ends WHERE user_id = 8", "0");
	assert_sql("stead_rewrapper", 0, "SELECT saved_at FROM vault.sessions", DENIED);
	assert_sql("stead_rewrapper", 0, "DELETE FROM vault.sessions", "0"); /* no background session */
	assert_sql("stead_migrate", 7, "SELECT count(*) FROM vault.sessions",
		"0"); /* the owner is held back too */
	assert_sql("stead_authd", 7, "SELECT count(*) FROM vault.sessions", DENIED);
	assert_sql("stead_botd", 7, "SELECT count(*) FROM vault.sessions", DENIED);
}

/* What cannot be opened */

static void assert_cannot_open(const struct acting *who, const char *site)
{
	struct answer a = vault_fetch(&vault, who, site);

	assert_int_equal(a.r, REFUSED);
	if (a.code != ERR_vault_refused) /* what names a key that is not there is the operator's to mend */
		assert_int_equal(a.code, ERR_needs_sign_in);
	assert_null(strstr(a.message, "master key")); /* the cause is for the operator */
}

static void flipped_bits(void *arg)
{
	int64_t n, id;
	char line[96];
	struct answer a;

	(void)arg;
	save_one(&alice, "desk", "what was saved");
	n = sql_number("SELECT octet_length(envelope) FROM vault.sessions");
	id = sql_number("SELECT id FROM vault.sessions");
	for (int64_t at = 0; at < n; at++) {
		sql_number("UPDATE vault.sessions SET envelope = set_byte(envelope, %d, "
			   "get_byte(envelope, %d) # 1), health = 'working', reason = NULL",
			(int)at, (int)at);
		assert_cannot_open(&alice, "desk");
		sql_number("UPDATE vault.sessions SET envelope = set_byte(envelope, %d, "
			   "get_byte(envelope, %d) # 1)",
			(int)at, (int)at);
	}
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "what was saved");
	assert_string_equal(a.health, "needs_sign_in"); /* until somebody proves it again */
	snprintf(line, sizeof(line),
		"session %lld version 1 (desk) cannot be opened: ", (long long)id);
	assert_true(vault_said(&vault, line));
}

static void cut_short(void *arg)
{
	(void)arg;
	save_one(&alice, "desk", "what was saved");
	sql_number("UPDATE vault.sessions SET envelope = substring(envelope FROM 1 FOR "
		   "octet_length(envelope) - 1)");
	assert_cannot_open(&alice, "desk");
	sql_number("UPDATE vault.sessions SET envelope = ''");
	assert_cannot_open(&alice, "desk");
}

static void swapped(void *arg)
{
	(void)arg;
	save_one(&alice, "desk", "alice's desk");
	save_one(&alice, "gym", "alice's gym");
	save_one(&bob, "desk", "bob's desk");
	/* the envelopes of two users */
	sql_number("UPDATE vault.sessions s SET envelope = o.envelope FROM vault.sessions o "
		   "WHERE s.site = 'desk' AND o.site = 'desk' AND s.user_id <> o.user_id");
	assert_cannot_open(&alice, "desk");
	assert_cannot_open(&bob, "desk");
	/* of two sites */
	sql_number("UPDATE vault.sessions s SET envelope = o.envelope FROM vault.sessions o "
		   "WHERE s.user_id = 7 AND s.site = 'desk' AND o.user_id = 7 AND o.site = 'gym'");
	assert_cannot_open(&alice, "desk");
}

/* A whole row given to another user or site, or put back from an older version. */
static void moved_rows(void *arg)
{
	struct answer a;

	(void)arg;
	save_one(&bob, "desk", "bob's desk");
	sql_number("UPDATE vault.sessions SET user_id = 7");
	assert_cannot_open(&alice, "desk");
	sql_number("UPDATE vault.sessions SET user_id = 8, site = 'gym'");
	assert_cannot_open(&bob, "gym");
	sql_number("UPDATE vault.sessions SET site = 'desk', version = 5, last_version = 5");
	assert_cannot_open(&bob, "desk");
	sql_number("DELETE FROM vault.saves; UPDATE vault.sessions SET version = 1, id = id + 1000");
	assert_cannot_open(&bob, "desk");
	a = vault_store(&vault, &bob, (struct save){ "s2", .state = "signed in again" });
	assert_done(&a); /* a new sign-in mends it */
	a = vault_fetch(&vault, &bob, "desk");
	assert_state(&a, "signed in again");
	assert_string_equal(a.health, "working");
}

/* What stands beside the state and is bound to it: the account, the time of its proof, what kind it is and its name. */
static void changed_columns(void *arg)
{
	static const char *const changes[] = { "account = account || 'x'", "account = ''", "proof_at = proof_at + interval '1 ms'",
		"fingerprint = 'bg-0123'", "kind = 'device', protected = false, fingerprint = 'x'" };
	struct answer a;

	(void)arg;
	save_one(&alice, "desk", "what was saved");
	sql_number("CREATE TABLE aside AS TABLE vault.sessions");
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		sql_number("UPDATE vault.sessions SET %s", changes[i]);
		a = vault_fetch_named(&vault, &alice, (struct session_fetch_params){
			.session = sql_number("SELECT id FROM vault.sessions") });
		assert_refused(&a, ERR_needs_sign_in, "site");
		sql_number("DELETE FROM vault.sessions; INSERT INTO vault.sessions TABLE aside");
	}
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "what was saved");
	sql_number("DROP TABLE aside");
}

/* Keys */

#define OTHER_KEY "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="

static void restart(void)
{
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	assert_true(vault_start(&vault));
}

static void assert_trouble(const char *part)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(20000));
	struct sessiond_status_params p = {};
	struct sessiond_status_result r;

	assert_int_equal(call_sessiond_status(c, vault.control, &p, &r), 0);
	if (!r.vault_trouble || !strstr(r.vault_trouble, part))
		fail_msg("\"%s\" does not say \"%s\"", r.vault_trouble ?: "", part);
}

/* Neither read nor written, and the row is what it was. */
static void assert_vault_refuses(const char *trouble)
{
	struct answer a =
		vault_store(&vault, &alice, (struct save){ "s2", .state = "under the wrong key" });

	assert_refused(&a, ERR_vault_refused, "");
	a = vault_fetch(&vault, &alice, "desk");
	assert_refused(&a, ERR_vault_refused, "");
	assert_trouble(trouble);
	assert_int_equal(
		sql_number("SELECT version FROM vault.sessions WHERE health = 'working'"), 1);
}

static void wrong_master_key(void *arg)
{
	char aside[160];
	struct answer a;

	(void)arg;
	save_one(&alice, "desk", "what was saved");
	snprintf(aside, sizeof(aside), "%s.aside", vault.keys);
	assert_int_equal(rename(vault.keys, aside), 0);

	write_file(vault.keys, "1:" OTHER_KEY "\n", 0600);
	restart();
	assert_vault_refuses("Master key 1 is not the key of that number");
	write_file(vault.keys, "9:" OTHER_KEY "\n", 0600);
	restart();
	assert_vault_refuses("None of the 1 master keys");
	assert_int_equal(unlink(vault.keys),
		0); /* lost: a new one is made, and does not pass for the old one */
	restart();
	assert_vault_refuses("Master key 1 is not the key of that number");

	assert_int_equal(rename(aside, vault.keys), 0);
	restart();
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "what was saved");
	assert_string_equal(a.health, "working");
	assert_int_equal(sql_number("SELECT count(*) FROM vault.key_checks"), 1);
}

static void lost_key_checks(void *arg)
{
	(void)arg;
	save_one(&alice, "desk", "what was saved");
	sql_number("CREATE TABLE aside AS TABLE vault.key_checks; DELETE FROM vault.key_checks");
	restart();
	assert_vault_refuses("vault.key_checks is empty");
	sql_number("INSERT INTO vault.key_checks TABLE aside; DROP TABLE aside");
	restart();
	struct answer a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "what was saved");
}

static bool waits_for_lock(void)
{
	return sql_number("SELECT count(*) FROM pg_stat_activity WHERE usename = 'stead_sessiond' AND "
			  "wait_event_type = 'Lock'") > 0;
}

static bool found_its_keys(void)
{
	return vault_said(&vault, "the master keys are this database's own");
}

static void await(bool (*so)(void))
{
	int64_t end = deadline_in(20000);

	while (!so()) {
		assert_true(loop_now() < end);
		fiber_sleep_until(deadline_in(5));
	}
}

/* The first key check and the first session appear while this sessiond is looking for them. */
static void another_is_first(void *arg)
{
	PGconn *pg = cluster_connect(&cluster);
	char log[128];

	(void)arg;
	save_one(&alice, "desk", "what was saved");
	sql_number("CREATE TABLE aside AS TABLE vault.key_checks; CREATE TABLE aside_sessions AS TABLE vault.sessions; "
		   "DELETE FROM vault.key_checks; DELETE FROM vault.sessions");
	PQclear(PQexec(pg, "BEGIN; LOCK TABLE vault.sessions"));
	snprintf(log, sizeof(log), "%s/log", vault.dir);
	unlink(log);
	restart();
	await(waits_for_lock);
	PQclear(PQexec(pg, "INSERT INTO vault.key_checks TABLE aside; INSERT INTO vault.sessions TABLE aside_sessions; "
			   "DROP TABLE aside, aside_sessions; COMMIT"));
	PQfinish(pg);
	await(found_its_keys);
	struct answer a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "what was saved");
}

static void key_file_of_others(void *arg)
{
	(void)arg;
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	assert_int_equal(chmod(vault.keys, 0644), 0);
	assert_false(vault_start(&vault));
	assert_true(vault_said(&vault, "is open to others (mode 0644)"));
	assert_int_equal(chmod(vault.keys, 0600), 0);
	assert_true(vault_start(&vault));
}

/* As the unit's LoadCredential= gives it. */
static void systemd_credential(void *arg)
{
	char path[160];
	struct answer a;

	(void)arg;
	save_one(&alice, "desk", "what was saved");
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	vault.credential = true;
	assert_false(vault_start(&vault));
	assert_true(vault_said(&vault, "will not start without its master key: cannot open"));
	snprintf(path, sizeof(path), "%s/master-key", vault.dir);
	assert_int_equal(rename(vault.keys, path), 0);
	assert_true(vault_start(&vault));
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "what was saved");
	assert_int_equal(rename(path, vault.keys), 0);
	vault.credential = false;
	restart();
}

static void memory_that_cannot_be_locked(void *arg)
{
	(void)arg;
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	vault.unlocked = true;
	assert_false(vault_start(&vault));
	assert_true(vault_said(&vault, "raise LimitMEMLOCK="));
	vault.unlocked = false;
	assert_true(vault_start(&vault));
}

/* Sockets */

static void wrong_socket(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, deadline_in(20000));
	struct session_fetch_params p = { .site = "desk" };
	struct session_fetch_result r;
	struct peer *const wrong[] = { vault.front, vault.stream, vault.control };

	(void)arg;
	save_one(&alice, "desk", "alice's");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(call_session_fetch(c, wrong[i], &p, &r), REFUSED);
		assert_int_equal(c->refusal.code, ERR_unknown_method);
	}
	c->acting.user = 0;
	assert_int_equal(call_session_fetch(c, vault.bot, &p, &r), REFUSED);
	assert_int_equal(c->refusal.code, ERR_not_signed_in);
}

static void unsealed_state(void *arg)
{
	CLEANUP(closep) int fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CLEANUP(closep) int s = greet();
	char text[2048];

	(void)arg;
	assert_int_equal(write(fd, "state", 5), 5);
	send_frame(s,
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session_store\",\"fd\":true,\"for\":{"
		"\"user\":7,\"scopes\":\"session_use\"},\"params\":{\"save\":\"s\",\"site\":\"desk\",\"account\":\"a\","
		"\"proved_at_ms\":1,\"state\":true}}",
		fd);
	read_frame(s, text, sizeof(text));
	assert_non_null(strstr(text, "\"id\":2"));
	assert_non_null(strstr(text, "not sealed"));
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions"), 0);
}

/* Nobody of the same user may look into it or make it leave a core. */
static void undumpable(void *arg)
{
	char path[64];
	struct stat st;

	(void)arg;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)vault.pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0); /* proc(5): root's, as the process is not dumpable */
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)vault.pid);
	FILE *f = fopen(path, "r");
	char line[128];
	bool none = false;
	while (fgets(line, sizeof(line), f))
		none |= strncmp(line, "Max core file size        0                    0 ", 49) == 0;
	fclose(f);
	assert_true(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(rows_of_others),
		VAULT_TEST(roles_beside),
		VAULT_TEST(flipped_bits),
		VAULT_TEST(cut_short),
		VAULT_TEST(swapped),
		VAULT_TEST(moved_rows),
		VAULT_TEST(changed_columns),
		VAULT_TEST(wrong_master_key),
		VAULT_TEST(lost_key_checks),
		VAULT_TEST(another_is_first),
		VAULT_TEST(key_file_of_others),
		VAULT_TEST(systemd_credential),
		VAULT_TEST(memory_that_cannot_be_locked),
		VAULT_TEST(wrong_socket),
		VAULT_TEST(unsealed_state),
		VAULT_TEST(undumpable),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
