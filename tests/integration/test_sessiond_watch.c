/* sessiond's watchers: told of everything, across restarts, on every host, and never flooded. */
#include "tests/integration/test_sessiond_daemon.h"

struct watch {
	struct call *call;
	struct peer_stream *stream;
	int64_t user, version; /* of the last item */
	char site[65], health[16];
};

static void watch_open(struct watch *w, struct vault *v)
{
	struct session_watch_params p = {};

	*w = (struct watch){ .call = call_new(NULL, NULL, deadline_in(30000)) };
	assert_int_equal(open_session_watch(w->call, v->bot, &p, &w->stream), 0);
}

static void watch_close(struct watch *w)
{
	w->stream = peer_stream_close(w->stream);
	w->call = call_free(w->call);
}

/* The next item that is not a repetition of the last, which it may be: read, then heard. */
static int watch_next(struct watch *w)
{
	struct session_watch_item item;
	int r;

	do
		r = next_session_watch(w->stream, &item, deadline_in(10000));
	while (r == 0 && item.user == w->user && item.version == w->version &&
		strcmp(item.site, w->site) == 0 && strcmp(item.health, w->health) == 0);
	if (r < 0)
		return r;
	w->user = item.user;
	w->version = item.version;
	snprintf(w->site, sizeof(w->site), "%s", item.site);
	snprintf(w->health, sizeof(w->health), "%s", item.health);
	return 0;
}

static void assert_next(
	struct watch *w, int64_t user, const char *site, int64_t version, const char *health)
{
	int r = watch_next(w);

	if (r == REFUSED)
		fail_msg("refused: %s", w->call->refusal.message);
	assert_int_equal(r, 0);
	if (w->user != user || strcmp(w->site, site) != 0 || w->version != version ||
		strcmp(w->health, health) != 0)
		fail_msg("told of user %lld, site %s, version %lld, %s", (long long)w->user,
			w->site, (long long)w->version, w->health);
}

/* Nothing comes: asked by making something happen that must come next. */
static void assert_quiet(struct watch *w, struct vault *v)
{
	static int count;
	char name[24];
	struct answer a;

	snprintf(name, sizeof(name), "quiet %d", ++count);
	a = vault_store(v, &bob, (struct save){ name, .site = "quiet", .state = "x" });
	assert_done(&a);
	assert_next(w, bob.user, "quiet", a.version, "working");
}

static struct answer save(struct vault *v, const struct acting *who, const char *name)
{
	struct answer a = vault_store(v, who, (struct save){ name, .state = name });

	assert_done(&a);
	return a;
}

static void changes(void *arg)
{
	struct watch w, before;
	struct answer a;

	(void)arg;
	watch_open(&before, &vault);
	save(&vault, &alice, "s1");
	assert_next(&before, alice.user, "desk", 1, "working");
	save(&vault, &bob, "s1");
	assert_next(&before, bob.user, "desk", 1, "working");
	a = vault_report(&vault, &bob, 1, "needs_sign_in", NULL);
	assert_true(a.changed);
	assert_next(&before, bob.user, "desk", 1, "needs_sign_in");
	watch_close(&before); /* nothing of this is still on its way */
	watch_open(&w, &vault);
	assert_next(
		&w, alice.user, "desk", 1, "working"); /* all that are working now, so not bob's */
	assert_quiet(&w, &vault);
	save(&vault, &bob, "s2");
	assert_next(&w, bob.user, "desk", 2, "working");
	a = vault_report(&vault, &alice, 1, "unproved", "slow");
	assert_next(&w, alice.user, "desk", 1, "unproved");
	a = vault_report(&vault, &alice, 1, "unproved", "slower"); /* no change of health */
	assert_quiet(&w, &vault);
	sql_number("SELECT pg_notify('vault_sessions', 'none of ours')");
	assert_quiet(&w, &vault);
	assert_true(vault_said(&vault, "ignores a notice"));
	sql_number("DELETE FROM vault.sessions WHERE user_id = 7");
	assert_next(&w, alice.user, "desk", 1, "needs_sign_in");
	watch_close(&w);
}

/* Reads until the session's final version has been told; how many items that took. */
static int read_until(struct watch *w, int64_t user, int64_t version)
{
	int count = 0;

	do {
		assert_int_equal(watch_next(w), 0);
		count++;
	} while (w->user != user || strcmp(w->site, "desk") != 0 || w->version != version);
	return count;
}

#define SAVES 400

static void slow_reader(void *arg)
{
	struct watch w;

	(void)arg;
	save(&vault, &alice, "first");
	watch_open(&w, &vault);
	assert_next(&w, alice.user, "desk", 1, "working");
	for (int i = 2; i <= SAVES; i++) {
		char name[24];

		snprintf(name, sizeof(name), "save %d", i);
		save(&vault, &alice, name);
	}
	assert_true(read_until(&w, alice.user, SAVES) <
		    SAVES / 2); /* what it was too slow for was never queued */
	assert_quiet(&w, &vault);
	watch_close(&w);
}

static void database_restarted(void *arg)
{
	struct watch w;

	(void)arg;
	save(&vault, &alice, "s1");
	watch_open(&w, &vault);
	assert_next(&w, alice.user, "desk", 1, "working");
	cluster_stop_wait(&cluster, SIGQUIT);
	cluster_start_wait(&cluster);
	sql_number("UPDATE vault.sessions SET version = 2, last_version = 2"); /* perhaps before sessiond listens
								again */
	read_until(&w, alice.user, 2);
	watch_close(&w);
}

/* Saved by another host while this one had no connection: no notice of it ever comes. */
static void missed_while_away(void *arg)
{
	struct watch w;

	(void)arg;
	save(&vault, &alice, "s1");
	watch_open(&w, &vault);
	assert_next(&w, alice.user, "desk", 1, "working");
	sql_number("ALTER ROLE stead_sessiond NOLOGIN");
	sql_number("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE "
		   "usename = 'stead_sessiond'");
	sql_number("UPDATE vault.sessions SET version = 2, last_version = 2, health = 'unproved', reason = 'slow'");
	sql_number("ALTER ROLE stead_sessiond LOGIN");
	read_until(&w, alice.user, 2);
	assert_string_equal(w.health, "unproved");
	watch_close(&w);
}

static void vault_restarted(void *arg)
{
	struct watch w;

	(void)arg;
	save(&vault, &alice, "s1");
	watch_open(&w, &vault);
	assert_next(&w, alice.user, "desk", 1, "working");
	assert_int_equal(vault_stop(&vault, SIGTERM), 0); /* does not wait for watchers */
	assert_int_equal(watch_next(&w), REFUSED);
	assert_int_equal(w.call->refusal.code, ERR_unavailable);
	watch_close(&w);
	assert_true(vault_start(&vault));
	save(&vault, &alice, "s2");
	watch_open(&w, &vault);
	assert_next(&w, alice.user, "desk", 2, "working");
	watch_close(&w);
}

/* A second sessiond beside the first, as on another host: one database, one key. */
static void two_hosts(void *arg)
{
	struct vault other;
	struct watch w;
	struct answer a;
	char command[300];

	(void)arg;
	vault_paths(&other, "b");
	snprintf(command, sizeof(command), "cp -p '%s' '%s'", vault.keys, other.keys);
	assert_int_equal(system(command), 0);
	assert_true(vault_start(&other));
	save(&vault, &alice, "s1");
	watch_open(&w, &other);
	assert_next(&w, alice.user, "desk", 1, "working");
	a = vault_fetch(&other, &alice, "desk");
	assert_state(&a, "s1");
	a = vault_store(&other, &alice, (struct save){ "s2", .state = "s2", .replaces = 1 });
	assert_done(&a);
	a = vault_store(&vault, &alice, (struct save){ "s3", .state = "s3", .replaces = 1 });
	assert_refused(&a, ERR_conflict, "replaces");
	assert_next(&w, alice.user, "desk", 2, "working");
	assert_quiet(&w, &vault);
	watch_close(&w);
	vault_free(&other);
}

/* Twenty thousand notices: more than a watcher holds that reads nothing until another has been told the last. */
static void overflow(void *arg)
{
	struct watch w, reads;

	(void)arg;
	save(&vault, &alice, "s1");
	watch_open(&w, &vault);
	watch_open(&reads, &vault);
	assert_next(&w, alice.user, "desk", 1, "working");
	assert_next(&reads, alice.user, "desk", 1, "working");
	sql_number("SELECT count(pg_notify('vault_sessions', format('%%s 1 working desk', n))) "
		   "FROM generate_series(1000, 20999) n");
	sql_number("UPDATE vault.sessions SET version = 3, last_version = 3");
	read_until(&reads, alice.user, 3);
	assert_true(read_until(&w, alice.user, 3) < 12000);
	watch_close(&w);
	watch_close(&reads);
}

/* The schema goes and comes back by its own migrations. */
static void down_and_up(void *arg)
{
	struct answer a;

	(void)arg;
	assert_int_equal(vault_stop(&vault, SIGTERM), 0);
	assert_int_equal(migrate("down", "0"), 0);
	assert_int_equal(
		sql_number(
			"SELECT count(*) FROM pg_class WHERE relnamespace = 'vault'::regnamespace"),
		0);
	assert_int_equal(
		sql_number(
			"SELECT count(*) FROM pg_proc WHERE pronamespace = 'vault'::regnamespace"),
		0);
	assert_int_equal(migrate("up", NULL), 0);
	assert_true(vault_start(&vault));
	a = save(&vault, &alice, "s1"); /* its number was given before; its version was not */
	assert_true(a.version > 1);
	a = vault_fetch(&vault, &alice, "desk");
	assert_state(&a, "s1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(changes),
		VAULT_TEST(slow_reader),
		VAULT_TEST(database_restarted),
		VAULT_TEST(missed_while_away),
		VAULT_TEST(vault_restarted),
		VAULT_TEST(two_hosts),
		VAULT_TEST(overflow),
		VAULT_TEST(down_and_up),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
