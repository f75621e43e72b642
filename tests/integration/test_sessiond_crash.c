/*
 * sessiond killed, its database restarted, its rotation interrupted: nothing acknowledged is lost
 * or half done.
 */
#include "tests/integration/test_sessiond_daemon.h"

/* A writer that saves one state after another and repeats each until it is acknowledged. */

#define FILLER 120000 /* bytes: several pages of TOAST, so that half a save would show */

struct writer {
	struct acting who;
	int64_t saved;   /* the last number that was acknowledged */
	int64_t begun;   /* the last number that was sent */
	int64_t repeats; /* sends that were not answered with success */
	bool stop;
	struct fiber *fiber;
};

static void fill(uint8_t *state, int64_t number)
{
	uint64_t x = (uint64_t)number * 0x9e3779b97f4a7c15u + 1;

	memcpy(state, &number, sizeof(number));
	for (size_t i = sizeof(number); i + 8 <= FILLER; i += 8) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(state + i, &x, 8);
	}
}

/* What may be said while things are down. Anything else is a failure. */
static void assert_excused(const struct answer *a)
{
	if (a->r == -ETIMEDOUT)
		return;
	assert_int_equal(a->r, REFUSED);
	if (a->code != ERR_unavailable && a->code != ERR_database_down &&
		a->code != ERR_timed_out && a->code != ERR_maybe_done && a->code != ERR_busy)
		fail_msg("refused as %s: %s", error_row(a->code)->name, a->message);
}

static void write_on(void *arg)
{
	struct writer *w = arg;
	CLEANUP(freep) uint8_t *state = malloc(FILLER);

	while (!w->stop) {
		char name[32];
		struct answer a;

		snprintf(name, sizeof(name), "save %lld", (long long)++w->begun);
		fill(state, w->begun);
		for (;;) {
			a = vault_store(&vault, &w->who,
				(struct save){ name, .state = state, .size = FILLER });
			if (a.r == 0)
				break;
			assert_excused(&a);
			w->repeats++;
			fiber_sleep_until(deadline_in(5)); /* not to spin while nobody listens */
		}
		assert_int_equal(a.version, w->begun); /* each name exactly once */
		w->saved = w->begun;
	}
}

static void writer_start(struct writer *w, int64_t user)
{
	*w = (struct writer){ .who = { .user = user, .name = "writer", .scopes = SCOPES_PERSON } };
	fiber_start("writer", write_on, w, &w->fiber);
}

static void writer_stop(struct writer *w)
{
	w->stop = true;
	fiber_join(&w->fiber);
}

static void await_saves(const struct writer *w, int64_t more)
{
	int64_t until = w->saved + more;

	while (w->saved < until)
		fiber_sleep_until(deadline_in(1));
}

/* What is there opens, is whole, and is no older than what was acknowledged. */
static void assert_whole(const struct writer *w, int64_t acknowledged)
{
	CLEANUP(freep) uint8_t *expected = malloc(FILLER);
	struct answer a;
	int64_t number;

	do {
		a = vault_fetch(&vault, &w->who, "desk");
		if (a.r != 0)
			assert_excused(&a);
	} while (a.r != 0);
	assert_int_equal(a.size, FILLER);
	memcpy(&number, a.state, sizeof(number));
	assert_true(number >= acknowledged && number <= w->begun);
	assert_int_equal(a.version, number);
	fill(expected, number);
	assert_memory_equal(a.state, expected, sizeof(a.state) - 1);
}

static void killed_while_saving(void *arg)
{
	struct writer w;
	unsigned delay = 0;

	(void)arg;
	writer_start(&w, 100);
	for (int round = 0; round < 25; round++) {
		int64_t acknowledged;

		await_saves(&w, 2);
		delay = (delay + 1777) % 9000;
		fiber_sleep_until(
			deadline_in(delay / 1000)); /* another moment of a save in each round */
		assert_int_equal(vault_stop(&vault, SIGKILL), -1);
		acknowledged = w.saved;
		assert_true(vault_start(&vault));
		assert_whole(&w, acknowledged);
	}
	writer_stop(&w);
	assert_whole(&w, w.saved);
	assert_true(w.repeats > 0);
	assert_int_equal(sql_number("SELECT version FROM vault.sessions"), w.begun);
}

static void database_restarts(void *arg)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGINT };
	struct writer w[4];

	(void)arg;
	for (int i = 0; i < 4; i++)
		writer_start(&w[i], 200 + i);
	for (size_t round = 0; round < 3; round++) {
		for (int i = 0; i < 4 && round != 1; i++) /* the second follows at once */
			await_saves(&w[i], 3);
		cluster_stop_wait(&cluster, signals[round]);
		cluster_start_wait(&cluster);
	}
	for (int i = 0; i < 4; i++) {
		await_saves(&w[i], 3);
		writer_stop(&w[i]);
		assert_whole(&w[i], w[i].saved);
	}
}

static void database_down_at_start(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(10000));
	CLEANUP(call_freep) struct call *short_call = call_new(NULL, &alice, deadline_in(10000));
	struct sessiond_status_params p = {};
	struct sessiond_status_result r;
	struct session_fetch_params fp = { .site = "desk" };
	struct session_fetch_result fr;
	struct answer a = vault_store(&vault, &alice, (struct save){ "s1", .state = "before" });
	int64_t deadline = deadline_in(60000);

	(void)arg;
	assert_done(&a);
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	cluster_stop_wait(&cluster, SIGINT);
	assert_true(vault_start(&vault)); /* degraded */
	assert_int_equal(call_sessiond_status(c, vault.control, &p, &r), 0);
	assert_false(r.database);
	assert_non_null(r.database_trouble);
	assert_int_equal(call_session_fetch(short_call, vault.bot, &fp, &fr), REFUSED);
	assert_int_equal(short_call->refusal.code, ERR_database_down);
	cluster_start_wait(&cluster);
	do /* it comes back by itself; the longer it was away, the longer the pause between two tries */
		a = vault_fetch(&vault, &alice, "desk");
	while (a.r == REFUSED && a.code == ERR_database_down && loop_now() < deadline);
	assert_state(&a, "before");
	assert_true(vault_said(&vault, "the database does not answer"));
	assert_true(vault_said(&vault, "the database answers"));
}

/* Rotation */

#define SESSIONS 60

static void save_many(void)
{
	for (int i = 0; i < SESSIONS; i++) {
		char site[16];
		struct answer a;

		snprintf(site, sizeof(site), "site%d", i);
		a = vault_store(&vault, &alice, (struct save){ "s", .site = site, .state = site });
		assert_done(&a);
	}
}

static void assert_all_open(void)
{
	for (int i = 0; i < SESSIONS; i++) {
		char site[16];
		struct answer a;

		snprintf(site, sizeof(site), "site%d", i);
		a = vault_fetch(&vault, &alice, site);
		assert_state(&a, site);
	}
}

/* Adds key 2 to the file as an administrator would, or leaves only that. */
static void rotate_file(bool keep_old)
{
	char text[512] = "", *line;
	FILE *f = fopen(vault.keys, "r");

	assert_true(fread(text, 1, sizeof(text) - 1, f) > 40);
	fclose(f);
	line = strstr(text, "\n1:") + 1;
	line[47] = '\0';
	f = fopen(vault.keys, "w");
	fprintf(f, "2:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n\n%s%s\n", keep_old ? "" : "# ",
		line);
	fclose(f);
}

static void restart(void)
{
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	assert_true(vault_start(&vault));
}

struct rewrap {
	int r;
	struct vault_rewrap_result result;
	struct fiber *fiber;
};

static void rewrap(void *arg)
{
	struct rewrap *w = arg;
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(60000));
	struct vault_rewrap_params p = {};

	w->r = call_vault_rewrap(c, vault.control, &p, &w->result);
}

static int64_t to_rewrap(void)
{
	return sql_number("SELECT count(*) FROM vault.sessions WHERE key_id <> 2");
}

/* Killed while it waits for a row in the middle, which somebody else has locked. */
static void interrupt_rewrap(void)
{
	struct rewrap w = { 0 };
	PGconn *pg = cluster_connect(&cluster);

	PQclear(PQexec(
		pg, "BEGIN; SELECT id FROM vault.sessions WHERE site = 'site25' FOR UPDATE"));
	fiber_start("rewrap", rewrap, &w, &w.fiber);
	while (sql_number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0)
		fiber_sleep_until(deadline_in(2));
	assert_int_equal(vault_stop(&vault, SIGKILL), -1);
	PQfinish(pg);
	fiber_join(&w.fiber);
	assert_int_equal(w.r, REFUSED);
	assert_true(vault_start(&vault));
}

static void rotation(void *arg)
{
	struct rewrap w = { 0 };
	int64_t left;

	(void)arg;
	save_many();
	sql_number("CREATE TABLE aside AS SELECT id, md5(substring(envelope FROM 133)) AS content "
		   "FROM vault.sessions");
	rotate_file(true);
	restart();
	assert_all_open();
	assert_int_equal(to_rewrap(), SESSIONS);
	interrupt_rewrap();
	left = to_rewrap();
	assert_true(left >= SESSIONS - 26 &&
		    left <= SESSIONS - 25); /* the one that was waited for may have come through */
	assert_all_open();

	sql_number("UPDATE vault.sessions SET envelope = set_byte(envelope, 60, get_byte(envelope, "
		   "60) # 1) WHERE site = 'site40'");
	rewrap(&w);
	assert_int_equal(w.r, 0);
	assert_int_equal(w.result.rewrapped, left - 1);
	assert_int_equal(w.result.failed, 1);
	assert_int_equal(w.result.left, 1);
	assert_true(vault_said(&vault, "version 1 cannot be rewrapped from master key 1"));
	sql_number("UPDATE vault.sessions SET envelope = set_byte(envelope, 60, get_byte(envelope, "
		   "60) # 1) WHERE site = 'site40'");
	rewrap(&w);
	assert_int_equal(w.result.rewrapped, 1);
	assert_int_equal(w.result.left, 0);

	rotate_file(false); /* the old key is retired */
	restart();
	assert_all_open();
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions s JOIN aside a USING (id) "
				    "WHERE a.content = md5(substring(envelope FROM 133))"),
		SESSIONS);
	sql_number("DROP TABLE aside");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(killed_while_saving),
		VAULT_TEST(database_restarts),
		VAULT_TEST(database_down_at_start),
		VAULT_TEST(rotation),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
