/*
 * The two states of a session: the last that was proved, and the newest that a browser left behind. What was proved is never
 * replaced by what was not; a proof settles which stays; no version is given twice.
 */
#include "tests/integration/test_sessiond_daemon.h"

static struct answer store(const char *name, int64_t replaces, const char *state, bool unproved)
{
	return vault_store(&vault, &alice, (struct save){ name, .replaces = replaces, .state = state, .unproved = unproved });
}

/* "one" proved as version 1, "two" beside it as version 2. */
static void keep_two(void)
{
	struct answer a = store("s1", 0, "one", false);

	assert_done(&a);
	a = store("s2", 1, "two", true);
	assert_done(&a);
	assert_int_equal(a.version, 2);
}

static void assert_kept(const char *which, const char *is, const char *text, int64_t version, int64_t other)
{
	struct answer a = vault_fetch_state(&vault, &alice, "desk", which);

	assert_state(&a, text);
	assert_string_equal(a.which, is);
	assert_int_equal(a.version, version);
	assert_int_equal(a.other, other);
}

static struct session_info listed(struct call **ret_call)
{
	struct session_list_params p = {};
	struct session_list_result r;

	*ret_call = call_new(NULL, &alice, deadline_in(20000));
	assert_int_equal(call_session_list(*ret_call, vault.front, &p, &r), 0);
	assert_int_equal(r.sessions_count, 1);
	assert_null(r.trouble);
	return r.sessions[0];
}

static void beside(void *arg)
{
	CLEANUP(call_freep) struct call *before = NULL, *after = NULL;
	struct session_info was, is;
	struct answer a;

	(void)arg;
	a = store("s1", 0, "one", false);
	was = listed(&before);
	assert_int_equal(was.newest_at_ms, 0);
	assert_int_equal(was.signed_in_at_ms, was.proved_at_ms);
	assert_kept(NULL, "proved", "one", 1, 0);
	assert_kept("newest", "proved", "one", 1, 0);

	a = store("s2", 1, "two", true);
	assert_int_equal(a.version, 2);
	is = listed(&after);
	assert_int_equal(is.version, 2);
	assert_true(is.newest_at_ms >= was.saved_at_ms);
	assert_int_equal(is.proved_at_ms, was.proved_at_ms); /* nothing has been proved since */
	assert_string_equal(is.health, "working");
	assert_kept(NULL, "newest", "two", 2, 1);
	assert_kept("proved", "proved", "one", 1, 2);
	a = vault_lease(&vault, &alice, "h", 5000);
	assert_int_equal(a.version, 2);

	a = vault_store(&vault, &alice, (struct save){ "s3", .replaces = 2, .token = a.token, .state = "three", .unproved = true });
	assert_int_equal(a.version, 3); /* in the place of the newest, not of the proved */
	assert_kept(NULL, "newest", "three", 3, 1);
	assert_kept("proved", "proved", "one", 1, 3);
	a = store("s3", 2, "three", true);
	assert_int_equal(a.version, 3); /* the same save, repeated */
}

static void proved_replaces_both(void *arg)
{
	struct answer a;

	(void)arg;
	keep_two();
	a = store("s3", 2, "three", false);
	assert_int_equal(a.version, 3);
	assert_kept(NULL, "proved", "three", 3, 0);
	assert_kept("proved", "proved", "three", 3, 0);
}

/* What a browser of a forgotten session has left is not put beside another that is kept since, whatever its version. */
static void of_forgotten(void *arg)
{
	struct answer a = store("s1", 0, "one", false);
	const int64_t old = a.id;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s2", .replaces = 1, .session = old, .state = "two", .unproved = true });
	assert_int_equal(a.version, 2);
	sql_number("DELETE FROM vault.sessions");
	a = store("s3", 0, "three", false);
	a = store("s4", 1, "four", true);
	assert_int_equal(a.version, 2);
	a = vault_store(&vault, &alice, (struct save){ "s5", .replaces = 2, .session = old, .state = "five", .unproved = true });
	assert_refused(&a, ERR_conflict, "replaces");
	a = vault_store(&vault, &alice, (struct save){ "s5", .session = old, .state = "five" });
	assert_refused(&a, ERR_invalid, "session");
	assert_kept(NULL, "newest", "four", 2, 1);
}

static void refusals(void *arg)
{
	struct answer a = store("s0", 0, "zero", true);

	(void)arg;
	assert_refused(&a, ERR_invalid, "proved_at_ms"); /* a first state must have been proved */
	keep_two();
	a = store("s3", 0, "three", true);
	assert_refused(&a, ERR_invalid, "proved_at_ms");
	a = vault_works(&vault, &alice, 2, 0, true);
	assert_refused(&a, ERR_invalid, "proved_at_ms");
	a = store("s3", 1, "three", true); /* the session is version 2 by now */
	assert_refused(&a, ERR_conflict, "replaces");
	a = vault_store(&vault, &alice,
		(struct save){ "s3", .replaces = 2, .account = "b@example.org", .state = "x", .unproved = true });
	assert_refused(&a, ERR_conflict, "account");
	assert_kept(NULL, "newest", "two", 2, 1);
}

/* The newest was found to work: it is what stays, with the proof's time. */
static void newest_proved(void *arg)
{
	CLEANUP(call_freep) struct call *call = NULL;
	int64_t at = wall_now() + 5000;
	struct session_info is;
	struct answer a;

	(void)arg;
	keep_two();
	a = vault_report(&vault, &alice, 2, "unproved", "It was slow."); /* without a proof nothing is settled */
	assert_true(a.changed);
	assert_kept(NULL, "newest", "two", 2, 1);
	a = vault_works(&vault, &alice, 2, at, false); /* nor by a visit, which may have spent it */
	assert_true(a.changed);
	assert_kept(NULL, "newest", "two", 2, 1);
	assert_kept("proved", "proved", "one", 1, 2);
	is = listed(&call);
	assert_int_equal(is.proved_at_ms, at);
	assert_true(is.newest_at_ms > 0);
	assert_string_equal(is.health, "working");
	call = call_free(call);
	a = vault_works(&vault, &alice, 2, at - 1, true);
	assert_false(a.changed);
	assert_kept(NULL, "proved", "two", 2, 0);
	is = listed(&call);
	assert_int_equal(is.proved_at_ms, at);
	assert_int_equal(is.newest_at_ms, 0);
	assert_string_equal(is.health, "working");
}

/* The newest was dead, the proved one lives: the newest goes, and its version is not given again. */
static void older_proved(void *arg)
{
	struct answer a;

	(void)arg;
	keep_two();
	a = vault_works(&vault, &alice, 1, wall_now(), true);
	assert_done(&a);
	assert_kept(NULL, "proved", "one", 1, 0);
	a = store("s3", 1, "three", true); /* as if nothing had been saved since */
	assert_refused(&a, ERR_conflict, "replaces");
	a = store("s3", 2, "three", true);
	assert_int_equal(a.version, 3);
	assert_kept(NULL, "newest", "three", 3, 1);
	a = vault_works(&vault, &alice, 2, wall_now(), true); /* of a state that is not kept any more */
	assert_false(a.changed);
	assert_kept(NULL, "newest", "three", 3, 1);
}

/* A newest that was damaged, or is another state's, is none; the proved one is there. */
static void newest_damaged(void *arg)
{
	struct answer a;

	(void)arg;
	keep_two();
	sql_number("UPDATE vault.sessions SET newest_envelope = envelope"); /* sealed for another version */
	assert_kept(NULL, "proved", "one", 1, 0);
	assert_true(vault_said(&vault, "version 2 (desk) cannot be opened: "));
	a = store("s3", 2, "three", true);
	assert_int_equal(a.version, 3);
	sql_number("UPDATE vault.sessions SET newest_envelope = set_byte(newest_envelope, 150, get_byte(newest_envelope, 150) # 1)");
	assert_kept("newest", "proved", "one", 1, 0);
	a = vault_fetch(&vault, &alice, "desk");
	assert_string_equal(a.health, "working");
	a = store("s4", 3, "four", true);
	sql_number("UPDATE vault.sessions SET envelope = newest_envelope, newest_envelope = envelope");
	assert_int_equal(vault_fetch_state(&vault, &alice, "desk", "proved").code, ERR_needs_sign_in);
}

/* Both states of every session come under the new key, and the old one may go. */
static void rotation(void *arg)
{
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(20000));
	struct vault_rewrap_params p = {};
	struct vault_rewrap_result r;
	struct sessiond_status_params sp = {};
	struct sessiond_status_result status;
	char key[512] = "", both[700];
	FILE *f = fopen(vault.keys, "r");

	(void)arg;
	assert_true(fread(key, 1, sizeof(key) - 1, f) > 40);
	fclose(f);
	keep_two();
	assert_done(&(struct answer){ .r = vault_store(&vault, &bob, (struct save){ "s1", .state = "bob's" }).r });
	snprintf(both, sizeof(both), "2:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n%s", key);
	write_file(vault.keys, both, 0600);
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	assert_true(vault_start(&vault));
	assert_int_equal(call_sessiond_status(call, vault.control, &sp, &status), 0);
	assert_int_equal(status.sessions, 2);
	assert_int_equal(status.unproved, 1);
	assert_int_equal(status.to_rewrap, 3);
	assert_int_equal(call_vault_rewrap(call, vault.control, &p, &r), 0);
	assert_int_equal(r.rewrapped, 3);
	assert_int_equal(r.left, 0);
	both[47] = '\0'; /* the new one alone */
	write_file(vault.keys, both, 0600);
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	assert_true(vault_start(&vault));
	assert_kept(NULL, "newest", "two", 2, 1);
	assert_kept("proved", "proved", "one", 1, 2);
}

/* How long sign-ins lived is kept of those whose end was seen, once each. */
static void lifetimes(void *arg)
{
	CLEANUP(call_freep) struct call *first = NULL, *second = NULL;
	struct session_info is;
	struct answer a;

	(void)arg;
	keep_two();
	sql_number("UPDATE vault.sessions SET signed_in_at = now() - interval '10 h', proved_at = now() - interval '2 h'");
	a = vault_report(&vault, &alice, 1, "needs_sign_in", "The site signed you out.");
	assert_true(a.changed);
	a = vault_report(&vault, &alice, 2, "needs_sign_in", "The site signed you out.");
	assert_false(a.changed);
	is = listed(&first);
	assert_int_equal(is.lived_least_ms / 60000, 8 * 60);
	assert_int_equal(is.lived_most_ms / 60000, 10 * 60);
	assert_int_equal(is.ended_unproved_ms / 60000, 2 * 60);
	a = store("s5", 0, "five", false);
	assert_done(&a);
	sql_number("UPDATE vault.sessions SET signed_in_at = now() - interval '30 h', proved_at = now() - interval '29 h'");
	a = vault_report(&vault, &alice, 3, "needs_sign_in", "The site signed you out.");
	is = listed(&second);
	assert_int_equal(is.lived_least_ms / 60000, 60);
	assert_int_equal(is.lived_most_ms / 60000, 30 * 60);
	assert_int_equal(is.ended_unproved_ms / 60000, 2 * 60);
	assert_int_equal(sql_number("SELECT count(*) FROM vault.ends"), 2);
	sql_number("DELETE FROM vault.sessions"); /* forgotten with the session */
	assert_int_equal(sql_number("SELECT count(*) FROM vault.ends"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(beside), VAULT_TEST(proved_replaces_both), VAULT_TEST(refusals), VAULT_TEST(of_forgotten),
		VAULT_TEST(newest_proved),
		VAULT_TEST(older_proved), VAULT_TEST(newest_damaged), VAULT_TEST(rotation), VAULT_TEST(lifetimes),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
