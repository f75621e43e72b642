/*
 * Sessions of devices beside the background one: how they are named, listed and forgotten, and what never touches the
 * background.
 */
#include "tests/integration/test_sessiond_daemon.h"

static struct answer store(const struct acting *who, const char *device, const char *state)
{
	static int count;
	char name[24];

	snprintf(name, sizeof(name), "save %d", ++count);
	return vault_store(&vault, who, (struct save){ name, .device = device, .state = state });
}

static struct answer fetch(struct session_fetch_params p)
{
	return vault_fetch_named(&vault, &alice, p);
}

static struct answer fetch_device(const char *device)
{
	return fetch((struct session_fetch_params){ .site = "desk", .kind = "device", .fingerprint = device });
}

static void assert_there(int background, int devices)
{
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions WHERE kind = 'background'"), background);
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions WHERE kind = 'device'"), devices);
}

static void beside(void *arg)
{
	struct answer background, laptop, a;

	(void)arg;
	laptop = store(&alice, "laptop", "of the laptop"); /* a device may come first */
	assert_done(&laptop);
	a = vault_fetch(&vault, &alice, "desk");
	assert_refused(&a, ERR_needs_sign_in, "site"); /* it is not the background one */
	background = store(&alice, NULL, "of the bots");
	a = store(&alice, "phone", "of the phone");
	a = store(&bob, "laptop", "of bob's laptop");
	assert_done(&a);
	assert_there(1, 3);
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "of the bots");
	a = fetch_device("laptop");
	assert_state(&a, "of the laptop");
	a = fetch((struct session_fetch_params){ .session = background.id });
	assert_state(&a, "of the bots");
	a = fetch((struct session_fetch_params){ .session = laptop.id, .site = "desk" });
	assert_state(&a, "of the laptop");
	a = fetch((struct session_fetch_params){ .session = laptop.id, .site = "gym" });
	assert_refused(&a, ERR_needs_sign_in, "site");
	a = vault_fetch_named(&vault, &bob, (struct session_fetch_params){ .session = laptop.id });
	assert_refused(&a, ERR_needs_sign_in, "site"); /* another's, whatever its number */
	a = fetch_device("tablet");
	assert_refused(&a, ERR_needs_sign_in, "site");
}

/* A save without a name is the background's; each has versions and leases of its own. */
static void each_its_own(void *arg)
{
	struct answer laptop, a;

	(void)arg;
	store(&alice, NULL, "one");
	laptop = store(&alice, "laptop", "one");
	a = vault_store(&vault, &alice, (struct save){ "b2", .replaces = 1, .state = "two" });
	assert_int_equal(a.version, 2);
	a = fetch_device("laptop");
	assert_int_equal(a.version, 1);
	a = vault_lease(&vault, &alice, "bot", 60000);
	assert_done(&a);
	a = vault_store(&vault, &alice, (struct save){ "d2", .device = "laptop", .replaces = 1, .token = a.token, .state = "x" });
	assert_refused(&a, ERR_conflict, "token"); /* the lease is of the background session */
	a = vault_store(&vault, &alice, (struct save){ "d3", .session = laptop.id, .replaces = 1, .state = "left", .unproved = true });
	assert_done(&a); /* by its number: whoever has been given it need not know of what kind it is */
	assert_int_equal(a.id, laptop.id);
	a = fetch_device("laptop");
	assert_state(&a, "left");
	a = vault_told(&vault, &alice,
		(struct session_report_params){ .session = laptop.id, .version = 2, .health = "needs_sign_in" });
	assert_true(a.changed);
	a = vault_fetch(&vault, &alice, "desk");
	assert_string_equal(a.health, "working");
	a = fetch_device("laptop");
	assert_string_equal(a.health, "needs_sign_in");
}

static void names_that_are_none(void *arg)
{
	static const struct {
		struct session_fetch_params p;
		const char *field;
	} wrong[] = {
		{ { 0 }, "site" },
		{ { .kind = "device", .fingerprint = "x" }, "site" },
		{ { .site = "desk", .kind = "device" }, "fingerprint" },
		{ { .site = "desk", .fingerprint = "x" }, "fingerprint" },
		{ { .site = "desk", .kind = "background", .fingerprint = "x" }, "fingerprint" },
		{ { .site = "desk", .kind = "device", .fingerprint = "bg-x" }, "fingerprint" },
		{ { .session = 1, .kind = "device", .fingerprint = "x" }, "kind" },
	};
	char own[80];
	struct answer a;

	(void)arg;
	store(&alice, NULL, "of the bots");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		a = fetch(wrong[i].p);
		assert_refused(&a, ERR_invalid, wrong[i].field);
	}
	PGconn *pg = cluster_connect(&cluster);
	PGresult *res = PQexec(pg, "SELECT fingerprint FROM vault.sessions");
	snprintf(own, sizeof(own), "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	PQfinish(pg);
	a = store(&alice, own, "in its place"); /* who knows it may name it no more than who does not */
	assert_refused(&a, ERR_invalid, "fingerprint");
	a = fetch_device(own);
	assert_refused(&a, ERR_invalid, "fingerprint");
	a = store(&alice, "BG-1", "another's");
	assert_done(&a);
	assert_there(1, 1);
}

static int64_t listed(struct peer *peer, const struct acting *who, struct call **ret_call, struct session_list_result *ret)
{
	struct session_list_params p = {};

	*ret_call = call_new(NULL, who, deadline_in(20000));
	assert_int_equal(call_session_list(*ret_call, peer, &p, ret), 0);
	return (int64_t)ret->sessions_count;
}

static void lists(void *arg)
{
	CLEANUP(call_freep) struct call *own = NULL, *all = NULL;
	struct session_list_result r;

	(void)arg;
	store(&alice, NULL, "x");
	store(&alice, "laptop", "x");
	store(&bob, "phone", "x");
	assert_int_equal(listed(vault.front, &alice, &own, &r), 2);
	assert_string_equal(r.sessions[0].kind, "background");
	assert_null(r.sessions[0].fingerprint); /* nobody's business */
	assert_string_equal(r.sessions[1].kind, "device");
	assert_string_equal(r.sessions[1].fingerprint, "laptop");
	assert_true(r.sessions[1].used_at_ms > 1600000000000);
	assert_int_equal(listed(vault.control, NULL, &all, &r), 3);
	assert_null(r.sessions[1].fingerprint);
}

static struct answer forget(struct peer *peer, const struct acting *who, int64_t id, bool confirm)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(20000));
	struct session_delete_params p = { .id = id, .confirm_protected = confirm };
	struct session_delete_result r;
	struct answer a = { .r = call_session_delete(c, peer, &p, &r) };

	answer_refusal(&a, c);
	return a;
}

static struct answer forget_devices(struct peer *peer, const struct acting *who, struct session_delete_devices_params p)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(20000));
	struct session_delete_devices_result r = { 0 };
	struct answer a = { .r = call_session_delete_devices(c, peer, &p, &r) };

	answer_refusal(&a, c);
	a.version = r.forgotten;
	return a;
}

static void one_is_forgotten(void *arg)
{
	struct answer background, laptop, a;

	(void)arg;
	background = store(&alice, NULL, "x");
	laptop = store(&alice, "laptop", "x");
	a = forget(vault.front, &bob, laptop.id, true);
	assert_refused(&a, ERR_not_found, "id");
	a = forget(vault.front, &alice, laptop.id, false); /* a device needs no confirmation */
	assert_done(&a);
	a = forget(vault.front, &alice, background.id, false);
	assert_refused(&a, ERR_invalid, "confirm_protected");
	a = forget(vault.control, NULL, background.id, false); /* steadctl neither */
	assert_refused(&a, ERR_invalid, "confirm_protected");
	assert_there(1, 0);
	a = forget(vault.control, NULL, background.id, true);
	assert_done(&a);
	a = forget(vault.control, NULL, background.id, true);
	assert_refused(&a, ERR_not_found, "id");
	assert_there(0, 0);
}

static void devices_are_forgotten(void *arg)
{
	struct answer a;

	(void)arg;
	store(&alice, NULL, "x");
	for (int i = 0; i < 3; i++)
		store(&alice, (const char *[]){ "laptop", "phone", "tablet" }[i], "x");
	vault_store(&vault, &alice, (struct save){ "g1", .site = "gym", .device = "phone", .state = "x" });
	store(&bob, "phone", "x");
	a = forget_devices(vault.front, &alice, (struct session_delete_devices_params){ .user = 8 });
	assert_refused(&a, ERR_invalid, "user");
	a = forget_devices(vault.control, NULL, (struct session_delete_devices_params){ 0 });
	assert_refused(&a, ERR_invalid, "user");
	assert_there(1, 5);
	a = forget_devices(vault.front, &alice, (struct session_delete_devices_params){ .fingerprint = "phone", .site = "desk" });
	assert_int_equal(a.version, 1);
	a = forget_devices(vault.front, &alice, (struct session_delete_devices_params){ .fingerprint = "phone" });
	assert_int_equal(a.version, 1); /* at the other site */
	assert_there(1, 3);
	a = forget_devices(vault.front, &alice, (struct session_delete_devices_params){ 0 });
	assert_int_equal(a.version, 2);
	assert_there(1, 1);
	a = forget_devices(vault.control, NULL, (struct session_delete_devices_params){ .user = bob.user });
	assert_int_equal(a.version, 1);
	assert_there(1, 0);
}

/* Nor does the database, whatever it is asked: none goes that the transaction does not name. */
static void protected_in_the_database(void *arg)
{
	PGconn *pg = cluster_connect(&cluster);
	PGresult *res;

	(void)arg;
	store(&alice, NULL, "x");
	store(&alice, "laptop", "x");
	PQclear(PQexec(pg, "SET ROLE stead_sessiond; SET \"stead.user\" = 7"));
	res = PQexec(pg, "UPDATE vault.sessions SET protected = false");
	assert_string_equal(PQresultErrorField(res, PG_DIAG_SQLSTATE), "42501");
	PQclear(res);
	res = PQexec(pg, "DELETE FROM vault.sessions");
	assert_string_equal(PQcmdTuples(res), "1");
	PQclear(res);
	PQclear(PQexec(pg, "RESET ROLE; SET ROLE stead_rewrapper"));
	res = PQexec(pg, "DELETE FROM vault.sessions");
	assert_string_equal(PQcmdTuples(res), "0");
	PQclear(res);
	PQfinish(pg);
	assert_there(1, 0);
}

static void restart(void)
{
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	assert_true(vault_start(&vault));
}

/* Those that nobody has used go by themselves; one that was handed out, or is leased, is in use. */
static void unused_go(void *arg)
{
	int64_t end;
	struct answer a;

	(void)arg;
	store(&alice, NULL, "x");
	for (int i = 0; i < 4; i++)
		store(&alice, (const char *[]){ "old", "fetched", "leased", "new" }[i], "x");
	sql_number("UPDATE vault.sessions SET used_at = now() - interval '8 days', proved_at = now() - interval '9 days' "
		   "WHERE fingerprint <> 'new'");
	a = fetch_device("fetched");
	assert_done(&a);
	sql_number("UPDATE vault.sessions SET lease_holder = 'x', lease_until = now() + interval '1 h' WHERE fingerprint = 'leased'");
	restart();
	for (end = deadline_in(20000); sql_number("SELECT count(*) FROM vault.sessions") > 4; fiber_sleep_until(deadline_in(5)))
		assert_true(loop_now() < end);
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions WHERE fingerprint = 'old'"), 0);
	assert_true(vault_said(&vault, "1 sessions of devices were forgotten: nobody had used them for 7 days"));
	a = vault_fetch(&vault, &alice, "desk");
	assert_done(&a);
	assert_there(1, 3);
}

static void no_more_than_so_many(void *arg)
{
	struct answer a;

	(void)arg;
	vault.more = "most_devices=2";
	restart();
	store(&alice, "one", "x");
	a = store(&alice, "two", "x");
	assert_done(&a);
	a = store(&alice, "three", "x");
	assert_refused(&a, ERR_conflict, "fingerprint");
	a = store(&alice, "two", "again");
	assert_done(&a);
	a = store(&alice, NULL, "the background one is none of them");
	assert_done(&a);
	vault.more = NULL;
	restart();
}

/* Whose jobs wait for a sign-in is woken by a background session, not by a device's. */
static void not_told_of(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(30000));
	struct session_watch_params p = {};
	struct session_watch_item item;
	struct peer_stream *stream;

	(void)arg;
	assert_int_equal(open_session_watch(c, vault.bot, &p, &stream), 0);
	store(&bob, NULL, "x");
	assert_int_equal(next_session_watch(stream, &item, deadline_in(10000)), 0);
	store(&alice, "laptop", "x");
	forget_devices(vault.front, &alice, (struct session_delete_devices_params){ 0 });
	vault_store(&vault, &bob, (struct save){ "after", .site = "gym", .state = "x" });
	do
		assert_int_equal(next_session_watch(stream, &item, deadline_in(10000)), 0);
	while (item.user == bob.user && strcmp(item.site, "gym") != 0);
	assert_int_equal(item.user, bob.user);
	peer_stream_close(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(beside), VAULT_TEST(each_its_own), VAULT_TEST(names_that_are_none), VAULT_TEST(lists),
		VAULT_TEST(one_is_forgotten), VAULT_TEST(devices_are_forgotten), VAULT_TEST(protected_in_the_database),
		VAULT_TEST(unused_go), VAULT_TEST(no_more_than_so_many), VAULT_TEST(not_told_of),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
