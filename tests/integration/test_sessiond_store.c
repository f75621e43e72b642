/* sessiond against a real PostgreSQL: saving, fetching, leases, reports, lists. */
#include "tests/integration/test_sessiond_daemon.h"

static void round_trip(void *arg)
{
	static const char binary[] = "cookies\0and\xed\xa0\x80 more";
	struct answer a, f;

	(void)arg;
	a = vault_store(
		&vault, &alice, (struct save){ "s1", .state = binary, .size = sizeof(binary) });
	assert_done(&a);
	assert_int_equal(a.version, 1);
	f = vault_fetch(&vault, &alice, "desk");
	assert_done(&f);
	assert_int_equal(f.size, sizeof(binary));
	assert_memory_equal(f.state, binary, sizeof(binary));
	assert_int_equal(f.version, 1);
	assert_string_equal(f.health, "working");
	assert_string_equal(f.account, "a@example.org");
	a = vault_store(&vault, &alice, (struct save){ "s2", .state = "second", .replaces = 1 });
	assert_done(&a);
	assert_int_equal(a.version, 2);
	f = vault_fetch(&vault, &alice, "desk");
	assert_state(&f, "second");
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions"), 1);
}

/* What a person would be harmed by is in neither the database nor the log. */
static void nothing_in_the_clear(void *arg)
{
	char text[3000];
	struct answer a;

	(void)arg;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = "SecretMarkerOfAlice"[i % 19];
	text[sizeof(text) - 1] = '\0';
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = text });
	assert_done(&a);
	a = vault_fetch(&vault, &alice, "desk");
	assert_done(&a);
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions WHERE "
				    "position('SecretMarker' in envelope) > 0"),
		0);
	assert_false(vault_said(&vault, "SecretMarker"));
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions WHERE fingerprint ~ "
				    "'^bg-[0-9a-f]{40}$'"),
		1);
}

/* 48 MiB that do not compress. */
static uint8_t *large_state(size_t size)
{
	uint8_t *p = malloc(size);
	uint64_t x = 88172645463325252u;

	assert_non_null(p);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(p + i, &x, 8);
	}
	return p;
}

static bool little_memory(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	return geteuid() != 0 && limit.rlim_cur < 256 << 20;
}

static void large(void *arg)
{
	size_t size = 48 << 20;
	CLEANUP(freep) uint8_t *state = large_state(size);
	struct answer a;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = state, .size = size });
	if (little_memory()) { /* an ordinary user's limit: refused, and the operator is told how to
				  lift it */
		assert_refused(&a, ERR_vault_refused, "");
		assert_true(vault_said(&vault, "LimitMEMLOCK=256M"));
		assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions"), 0);
		return;
	}
	assert_done(&a);
	a = vault_fetch(&vault, &alice, "desk");
	assert_done(&a);
	assert_int_equal(a.size, size);
	assert_memory_equal(a.state, state, 4095);
}

static void no_session(void *arg)
{
	struct answer a = vault_fetch(&vault, &alice, "desk");

	(void)arg;
	assert_refused(&a, ERR_needs_sign_in, "site");
	assert_non_null(strstr(a.message, "sign in to the site"));
	a = vault_lease(&vault, &alice, "bot-1", 60000);
	assert_refused(&a, ERR_needs_sign_in, "site");
}

static int account_kept(const struct acting *who, char account[64])
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(20000));
	const struct session_show_params p = { .site = "desk" };
	struct session_show_result kept;
	int r = call_session_show(c, vault.stream, &p, &kept);

	snprintf(account, 64, "%s", r == 0 && kept.account ? kept.account : "");
	return r;
}

static void bots_replace_nobody(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, deadline_in(20000));
	struct session_store_params p = { .save = "b1", .site = "desk", .account = "b@example.org",
		.in_place_of = "a@example.org", .proved_at_ms = wall_now(), .state = -1 };
	struct session_store_result result;
	char account[64];

	(void)arg;
	assert_int_equal(account_kept(&alice, account), 0);
	assert_string_equal(account, "");
	assert_int_equal(memfd_new("state", "x", 1, &p.state), 0);
	assert_int_equal(call_session_store(c, vault.bot, &p, &result), REFUSED);
	close(p.state);
	assert_int_equal(c->refusal.code, ERR_invalid);
	assert_string_equal(c->refusal.field, "in_place_of");
}

static void compare_and_set(void *arg)
{
	struct answer a;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "none", .state = "x", .replaces = 1 });
	assert_refused(&a, ERR_conflict, "replaces"); /* there is nothing to replace */
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });
	assert_done(&a);
	a = vault_store(&vault, &alice, (struct save){ "s2", .state = "two", .replaces = 1 });
	assert_done(&a);
	a = vault_store(&vault, &alice, (struct save){ "s3", .state = "late", .replaces = 1 });
	assert_refused(&a, ERR_conflict, "replaces");
	assert_non_null(strstr(a.message, "Version 2"));
	a = vault_store(&vault, &alice,
		(struct save){ "s4", .state = "x", .replaces = 2, .account = "b@example.org" });
	assert_refused(&a, ERR_conflict, "account");
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "two");
	a = vault_store(&vault, &alice,
		(struct save){ "s5", .state = "new sign-in", .account = "b@example.org" });
	assert_refused(&a, ERR_conflict, "account"); /* a new sign-in, too: somebody must have said so */
	assert_non_null(strstr(a.message, "the one of a@example.org, and this one is of b@example.org"));
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "two");
	assert_int_equal(account_kept(&alice, a.account), 0);
	assert_string_equal(a.account, "a@example.org");
	a = vault_store(&vault, &alice,
		(struct save){ "s5", .state = "new sign-in", .account = "b@example.org", .in_place_of = "c@example.org" });
	assert_refused(&a, ERR_conflict, "account"); /* the person was shown somebody else */
	a = vault_store(&vault, &alice,
		(struct save){ "s5", .state = "new sign-in", .account = "b@example.org", .in_place_of = "a@example.org" });
	assert_done(&a);
	assert_int_equal(a.version, 3);
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "new sign-in");
	assert_string_equal(a.account, "b@example.org");
}

/* Many writers at once, each on a fiber. */

#define WRITERS 12

struct writer {
	int number;
	int64_t replaces;
	bool same_save;
	struct answer answer;
};

static void write_one(void *arg)
{
	struct writer *w = arg;
	char name[24], state[24];

	snprintf(name, sizeof(name), "w%d", w->same_save ? 0 : w->number);
	snprintf(state, sizeof(state), "state %d", w->number);
	w->answer = vault_store(
		&vault, &alice, (struct save){ name, .state = state, .replaces = w->replaces });
}

static int write_at_once(struct writer *writers, int64_t replaces, bool same_save)
{
	struct fiber *fibers[WRITERS];
	int done = 0;

	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .number = i, .replaces = replaces, .same_save = same_save };
		fiber_start("writer", write_one, &writers[i], &fibers[i]);
	}
	for (int i = 0; i < WRITERS; i++) {
		fiber_join(&fibers[i]);
		done += writers[i].answer.r == 0;
	}
	return done;
}

static const struct writer *writer_of(const struct writer *writers, int64_t version)
{
	for (int i = 0; i < WRITERS; i++)
		if (writers[i].answer.r == 0 && writers[i].answer.version == version)
			return &writers[i];
	return NULL;
}

static void assert_newest_is(const struct writer *w)
{
	char state[24];
	struct answer a = vault_fetch(&vault, &alice, "desk");

	assert_non_null(w);
	snprintf(state, sizeof(state), "state %d", w->number);
	assert_state(&a, state);
}

static void first_saves_at_once(void *arg)
{
	struct writer writers[WRITERS];

	(void)arg;
	assert_int_equal(write_at_once(writers, 0, false), WRITERS);
	for (int64_t v = 1; v <= WRITERS; v++)
		assert_non_null(writer_of(writers, v)); /* each got a version of its own */
	assert_newest_is(writer_of(writers, WRITERS));
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions"), 1);
}

static void one_of_many_replaces(void *arg)
{
	struct writer writers[WRITERS];
	struct answer a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });

	(void)arg;
	assert_done(&a);
	assert_int_equal(write_at_once(writers, 1, false), 1);
	assert_newest_is(writer_of(writers, 2));
	for (int i = 0; i < WRITERS; i++)
		if (writers[i].answer.r != 0)
			assert_refused(&writers[i].answer, ERR_conflict, "replaces");
}

static void repeated_save(void *arg)
{
	struct answer first, again, other;

	(void)arg;
	first = vault_store(&vault, &alice, (struct save){ "same", .state = "one" });
	again = vault_store(&vault, &alice, (struct save){ "same", .state = "one" });
	assert_done(&first);
	assert_done(&again);
	assert_int_equal(again.id, first.id);
	assert_int_equal(again.version, 1);
	other = vault_store(&vault, &alice, (struct save){ "other", .state = "two" });
	assert_done(&other);
	again = vault_store(&vault, &alice, (struct save){ "same", .state = "one" });
	assert_done(&again);
	assert_int_equal(again.version, 1); /* it was saved, and what came later stands */
	again = vault_fetch(&vault, &alice, "desk");
	assert_state(&again, "two");
	again = vault_store(
		&vault, &alice, (struct save){ "again", .state = "three", .replaces = 2 });
	assert_done(&again);
	again = vault_store(
		&vault, &alice, (struct save){ "again", .state = "three", .replaces = 2 });
	assert_done(&again); /* no conflict with itself */
	assert_int_equal(again.version, 3);
}

/* Each finds it done, also those that wait while the first is doing it. */
static void repeated_at_once(void *arg)
{
	struct writer writers[WRITERS];
	struct answer a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });

	(void)arg;
	assert_done(&a);
	for (int64_t version = 1; version <= 4; version++) {
		assert_int_equal(sql_number("DELETE FROM vault.saves RETURNING 1"), 1);
		assert_int_equal(write_at_once(writers, version, true), WRITERS);
		for (int i = 0; i < WRITERS; i++)
			assert_int_equal(writers[i].answer.version, version + 1);
	}
}

static void lapse(void)
{
	sql_number("UPDATE vault.sessions SET lease_until = now() - interval '1 ms'");
}

static void fenced_lease(void *arg)
{
	struct answer a, b;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });
	assert_done(&a);
	a = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_done(&a);
	assert_int_equal(a.version, 1);
	b = vault_lease(&vault, &alice, "bot-b", 60000);
	assert_refused(&b, ERR_busy, "site");
	assert_non_null(strstr(b.message, " It goes on by itself, in "));
	b = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_done(&b);
	assert_int_equal(b.token, a.token); /* prolonged */

	lapse();
	b = vault_lease(&vault, &alice, "bot-b", 60000);
	assert_done(&b);
	assert_true(b.token > a.token);
	a = vault_store(&vault, &alice,
		(struct save){ "fenced", .state = "late", .replaces = 1, .token = a.token });
	assert_refused(&a, ERR_conflict, "token");
	a = vault_store(&vault, &alice,
		(struct save){ "good", .state = "refreshed", .replaces = 1, .token = b.token });
	assert_done(&a);
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "refreshed");
	a = vault_store(&vault, &alice, (struct save){ "odd", .state = "x", .token = b.token });
	assert_refused(&a, ERR_invalid, "token");
}

/* As when the database was away for longer than a lease: what the holder has is still the newest there is. */
static void lapsed_lease(void *arg)
{
	struct answer a, b;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });
	assert_done(&a);
	a = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_done(&a);
	lapse();
	b = vault_store(&vault, &alice,
		(struct save){ "slept", .state = "two", .replaces = 1, .token = a.token });
	assert_done(&b); /* nobody has had it in between */
	b = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_done(&b);
	assert_int_equal(b.token, a.token);
	b = vault_lease(&vault, &alice, "bot-b", 60000);
	assert_refused(&b, ERR_busy, "site"); /* it is held again */
	lapse();
	b = vault_lease(&vault, &alice, "bot-b", 60000);
	assert_done(&b);
	lapse();
	b = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_done(&b);
	assert_true(b.token > a.token + 1); /* another has, and has gone again */
	b = vault_store(&vault, &alice,
		(struct save){ "late", .state = "late", .replaces = 2, .token = a.token });
	assert_refused(&b, ERR_conflict, "token");
}

static int release(int64_t token)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, &alice, deadline_in(20000));
	struct session_release_params p = { .site = "desk", .token = token };
	struct session_release_result r;

	return call_session_release(c, vault.bot, &p, &r);
}

static void released_lease(void *arg)
{
	struct answer a, b;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });
	a = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_done(&a);
	assert_int_equal(release(a.token + 1), 0); /* not the one */
	b = vault_lease(&vault, &alice, "bot-b", 60000);
	assert_refused(&b, ERR_busy, "site");
	assert_int_equal(release(a.token), 0);
	b = vault_lease(&vault, &alice, "bot-b", 60000);
	assert_done(&b);
	assert_true(b.token > a.token);
	assert_int_equal(release(a.token), 0); /* harmless: it is another's by now */
	a = vault_store(&vault, &alice,
		(struct save){ "s2", .state = "two", .replaces = 1, .token = b.token });
	assert_done(&a);
}

/* Forgotten and signed in anew: who still holds the lease of the old one is no holder of the new. */
static void lease_of_forgotten(void *arg)
{
	struct answer old, a;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });
	old = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_done(&old);
	sql_number("DELETE FROM vault.sessions");
	a = vault_store(&vault, &alice, (struct save){ "s2", .state = "anew" });
	assert_int_equal(a.version, old.version);
	a = vault_store(&vault, &alice, (struct save){ "late", .state = "late", .replaces = 1, .token = old.token });
	assert_refused(&a, ERR_conflict, "token"); /* nobody has leased the new one */
	a = vault_lease(&vault, &alice, "bot-b", 60000);
	assert_done(&a);
	assert_true(a.token > old.token);
	a = vault_store(&vault, &alice, (struct save){ "late", .state = "late", .replaces = 1, .token = old.token });
	assert_refused(&a, ERR_conflict, "token");
	assert_int_equal(release(old.token), 0);
	a = vault_lease(&vault, &alice, "bot-a", 60000);
	assert_refused(&a, ERR_busy, "site");
}

static void reports(void *arg)
{
	struct answer a;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = "one" });
	a = vault_store(&vault, &alice, (struct save){ "s2", .state = "two" });
	assert_done(&a);
	a = vault_report(&vault, &alice, 1, "needs_sign_in", "old news");
	assert_done(&a);
	assert_false(a.changed);
	a = vault_report(&vault, &alice, 2, "needs_sign_in", "The site signed you out.");
	assert_true(a.changed);
	a = vault_report(&vault, &alice, 2, "needs_sign_in", "The site signed you out.");
	assert_done(&a);
	assert_false(a.changed); /* a person is told once */
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "two");
	assert_string_equal(a.health, "needs_sign_in");
	a = vault_report(&vault, &bob, 2, "working", NULL);
	assert_false(a.changed);
	a = vault_report(&vault, &alice, 2, "working", NULL);
	assert_true(a.changed);
	a = vault_report(&vault, &alice, 2, "unproved", NULL);
	assert_true(a.changed);
	a = vault_store(&vault, &alice, (struct save){ "s3", .state = "three" });
	a = vault_fetch(&vault, &alice, "desk");
	assert_string_equal(a.health, "working");
}

/* Lists and deletion */

static int list(struct peer *peer, const struct acting *who, struct call **ret_call,
	struct session_list_result *ret)
{
	struct session_list_params p = {};

	*ret_call = call_new(NULL, who, deadline_in(20000));
	return call_session_list(*ret_call, peer, &p, ret);
}

static void lists(void *arg)
{
	CLEANUP(call_freep) struct call *own = NULL, *all = NULL;
	struct session_list_result r;
	struct answer a;

	(void)arg;
	a = vault_store(&vault, &alice, (struct save){ "s1", .site = "gym", .state = "x" });
	a = vault_store(&vault, &alice, (struct save){ "s2", .site = "desk", .state = "x" });
	a = vault_store(&vault, &bob, (struct save){ "s3", .site = "desk", .state = "x" });
	assert_done(&a);
	a = vault_report(&vault, &alice, 1, "unproved", "It was slow.");
	assert_int_equal(list(vault.front, &alice, &own, &r), 0);
	assert_int_equal(r.sessions_count, 2);
	assert_string_equal(r.sessions[0].site, "desk");
	assert_string_equal(r.sessions[0].health, "unproved");
	assert_string_equal(r.sessions[0].reason, "It was slow.");
	assert_string_equal(r.sessions[1].site, "gym");
	assert_int_equal(r.sessions[1].user, 0);
	assert_true(r.sessions[1].saved_at_ms > 1600000000000);
	assert_int_equal(list(vault.control, NULL, &all, &r), 0);
	assert_int_equal(r.sessions_count, 3);
	assert_int_equal(r.sessions[1].user, bob.user);
}

static struct answer delete (const struct acting *who, int64_t id, bool confirm)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(20000));
	struct session_delete_params p = { .id = id, .confirm_protected = confirm };
	struct session_delete_result r;
	struct answer a = { .r = call_session_delete(c, vault.front, &p, &r) };

	answer_refusal(&a, c);
	return a;
}

static void deletion(void *arg)
{
	struct answer saved, a;

	(void)arg;
	saved = vault_store(&vault, &alice, (struct save){ "s1", .state = "x" });
	assert_done(&saved);
	a = delete (&bob, saved.id, true);
	assert_refused(&a, ERR_not_found, "id");
	a = delete (&alice, saved.id, false);
	assert_refused(&a, ERR_invalid, "confirm_protected");
	a = delete (&alice, saved.id, true);
	assert_done(&a);
	a = delete (&alice, saved.id, true);
	assert_refused(&a, ERR_not_found, "id");
	a = vault_fetch(&vault, &alice, "desk");
	assert_refused(&a, ERR_needs_sign_in, "site");
	assert_int_equal(sql_number("SELECT count(*) FROM vault.saves"), 0);
}

static void status(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(20000));
	struct sessiond_status_params p = {};
	struct sessiond_status_result r;
	struct answer a = vault_store(&vault, &alice, (struct save){ "s1", .state = "x" });

	(void)arg;
	assert_done(&a);
	assert_int_equal(call_sessiond_status(c, vault.control, &p, &r), 0);
	assert_true(r.database);
	assert_null(r.database_trouble);
	assert_null(r.vault_trouble);
	assert_int_equal(r.master_key, 1);
	assert_int_equal(r.sessions, 1);
	assert_int_equal(r.to_rewrap, 0);
}

static void rewrap(struct answer *ret)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(10000));
	struct vault_rewrap_params p = {};
	struct vault_rewrap_result r;

	ret->r = call_vault_rewrap(c, vault.control, &p, &r);
}

/* Whom a session was handed out to, and what steadctl did, stands there before it is done; without that it is not. */
static void audited(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(20000));
	struct vault_audit_params p = {};
	struct vault_audit_result r;
	struct answer a;

	(void)arg;
	sql_number("DELETE FROM vault.audit");
	a = vault_fetch(&vault, &bob, "desk");
	assert_refused(&a, ERR_needs_sign_in, "site");
	assert_int_equal(sql_number("SELECT count(*) FROM vault.audit"), 0);
	a = vault_store(&vault, &alice, (struct save){ "s1", .state = "x" });
	assert_done(&a);
	a = vault_fetch(&vault, &alice, "desk");
	assert_done(&a);
	rewrap(&a);
	assert_int_equal(a.r, 0);
	assert_int_equal(call_vault_audit(c, vault.control, &p, &r), 0);
	assert_int_equal(r.entries_count, 2); /* without this reading */
	assert_string_equal(r.entries[0].event, "steadctl");
	assert_string_equal(r.entries[0].detail, "vault_rewrap");
	assert_string_equal(r.entries[1].event, "session_fetched");
	assert_int_equal(r.entries[1].user, alice.user);
	assert_non_null(strstr(r.entries[1].detail, "(desk), version 1, to bot (uid "));
	sql_number("REVOKE INSERT (event) ON vault.audit FROM stead_sessiond");
	a = vault_fetch(&vault, &alice, "desk");
	assert_refused(&a, ERR_internal, "");
	assert_int_equal(a.size, 0);
	rewrap(&a);
	assert_int_equal(a.r, REFUSED);
	sql_number("GRANT INSERT (event) ON vault.audit TO stead_sessiond");
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "x");
}

/* sessiond can add to it, as itself or for the person of the transaction, and nothing else. */
static void only_added_to(void *arg)
{
	(void)arg;
	assert_int_equal(sql_number("SELECT has_table_privilege('stead_sessiond', 'vault.audit', 'UPDATE, DELETE, TRUNCATE, SELECT')::int"), 0);
	assert_int_equal(sql_number("SELECT has_column_privilege('stead_sessiond', 'vault.audit', 'at', 'INSERT')::int"), 0);
	assert_int_equal(sql_number("SELECT has_table_privilege('stead_operator', 'vault.audit', 'INSERT, UPDATE, DELETE')::int"), 0);
	assert_int_equal(sql_number("SELECT relforcerowsecurity::int FROM pg_class WHERE oid = 'vault.audit'::regclass"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(round_trip),
		VAULT_TEST(nothing_in_the_clear),
		VAULT_TEST(large),
		VAULT_TEST(no_session),
		VAULT_TEST(compare_and_set),
		VAULT_TEST(bots_replace_nobody),
		VAULT_TEST(first_saves_at_once),
		VAULT_TEST(one_of_many_replaces),
		VAULT_TEST(repeated_save),
		VAULT_TEST(repeated_at_once),
		VAULT_TEST(fenced_lease),
		VAULT_TEST(lapsed_lease),
		VAULT_TEST(released_lease), VAULT_TEST(lease_of_forgotten),
		VAULT_TEST(reports),
		VAULT_TEST(lists),
		VAULT_TEST(deletion),
		VAULT_TEST(status),
		VAULT_TEST(audited),
		VAULT_TEST(only_added_to),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
