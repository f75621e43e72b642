/*
 * What the vault costs: saving and getting states of 4 KB through the real sessiond, beside bare SQL that writes and reads
 * the same rows in the same transactions, by so many callers at once; and getting one among few sessions and among many.
 *
 *	bench_vault [SESSIONS [OPERATIONS]]	a million of them and 4,000 operations in each round, if not given
 *
 * Starts a PostgreSQL of its own, which does not wait for the disk, on either side.
 */
#include "tests/integration/test_sessiond_daemon.h"

#include <openssl/rand.h>

#include "tests/bench/cpu.h"
#include "tests/bench/samples.h"

#define CALLERS 8 /* as many as sessiond has connections to PostgreSQL */
#define PEOPLE  1000
#define STATE   4096
#define ROUNDS  3
#define BARE    1000000 /* what is added to a person's number for the rows that bare SQL is done to */

static long operations = 4000, sessions = 1000000;
static uint8_t state[STATE];

/* --- through sessiond --- */

struct caller {
	int number;
	bool saving;
	struct samples *samples;
	struct fiber *fiber;
};

static void save_one(const struct acting *who)
{
	static long count;
	char name[32];
	struct answer a;

	snprintf(name, sizeof(name), "save %ld", ++count);
	a = vault_store(&vault, who, (struct save){ name, .state = state, .size = sizeof(state) });
	assert_done(&a);
}

static void get_one(const struct acting *who)
{
	struct answer a = vault_fetch(&vault, who, "desk");

	assert_done(&a);
}

static void call_on(void *arg)
{
	struct caller *c = arg;

	for (long i = c->number; i < operations; i += CALLERS) {
		const struct acting who = { .user = 1 + (i * 7919) % PEOPLE, .name = "person", .scopes = SCOPES_PERSON };
		double from = wall_ms();

		(c->saving ? save_one : get_one)(&who);
		samples_add(c->samples, wall_ms() - from);
	}
}

/* Operations a second. */
static double ours(bool saving, struct samples *samples)
{
	struct caller callers[CALLERS];
	double from = wall_ms();

	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){ .number = i, .saving = saving, .samples = samples };
		fiber_start("caller", call_on, &callers[i], &callers[i].fiber);
	}
	for (int i = 0; i < CALLERS; i++)
		fiber_join(&callers[i].fiber);
	return (double)operations / (wall_ms() - from) * 1e3;
}

/* --- bare SQL --- */

static void done(PGresult *res)
{
	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
		cluster_die(PQresultErrorMessage(res));
	PQclear(res);
}

static void prepare(PGconn *pg)
{
	done(PQprepare(pg, "look", "SELECT id, last_version, account, lease_token FROM vault.sessions "
				   "WHERE user_id = $1::bigint AND site = 'desk' AND kind = 'background' FOR UPDATE", 0, NULL));
	done(PQprepare(pg, "already", "SELECT version FROM vault.saves WHERE session_id = $1::bigint AND save = $2", 0, NULL));
	done(PQprepare(pg, "save", "UPDATE vault.sessions SET version = last_version + 1, last_version = last_version + 1, saved_at = now(), "
				   "proved_at = now(), envelope = $2::bytea WHERE id = $1::bigint RETURNING version", 0, NULL));
	done(PQprepare(pg, "name", "INSERT INTO vault.saves VALUES ($1::bigint, $2, $3::bigint, 1, now())", 0, NULL));
	done(PQprepare(pg, "get", "SELECT id, account, health, version, envelope FROM vault.sessions "
				  "WHERE user_id = $1::bigint AND site = 'desk' AND kind = 'background'", 0, NULL));
	done(PQprepare(pg, "told", "INSERT INTO vault.audit (event, user_id, detail) VALUES ('session_fetched', $1::bigint, $2)", 0, NULL));
}

static void begin(PGconn *pg, const char *user)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "BEGIN; SELECT set_config('stead.user', '%s', true)", user);
	done(PQexec(pg, sql));
}

static void bare_save(PGconn *pg, const char *user, const char *name)
{
	char id[24];
	PGresult *res;

	begin(pg, user);
	res = PQexecPrepared(pg, "look", 1, &user, NULL, NULL, 1);
	if (PQntuples(res) != 1)
		cluster_die("no row");
	snprintf(id, sizeof(id), "%llu", (unsigned long long)__builtin_bswap64(*(uint64_t *)PQgetvalue(res, 0, 0)));
	PQclear(res);
	done(PQexecPrepared(pg, "already", 2, (const char *[]){ id, name }, NULL, NULL, 1));
	done(PQexecPrepared(pg, "save", 2, (const char *[]){ id, (char *)state }, (int[]){ 0, STATE }, (int[]){ 0, 1 }, 1));
	done(PQexecPrepared(pg, "name", 3, (const char *[]){ id, name, user }, NULL, NULL, 1));
	done(PQexec(pg, "COMMIT"));
}

static void bare_get(PGconn *pg, const char *user)
{
	begin(pg, user);
	done(PQexecPrepared(pg, "get", 1, &user, NULL, NULL, 1));
	done(PQexecPrepared(pg, "told", 2, (const char *[]){ user, "session 57 (desk), version 1, to bot (uid 1000)" }, NULL, NULL, 1));
	done(PQexec(pg, "COMMIT"));
}

/* A process of its own, that begins when there is nothing more to come from the pipe. */
static void bare_caller(int number, bool saving, int ready, int go)
{
	char conninfo[200], byte = 0, user[24], name[48];
	PGconn *pg;

	cluster_conninfo("stead_sessiond", "postgres", conninfo, sizeof(conninfo));
	pg = PQconnectdb(conninfo);
	if (PQstatus(pg) != CONNECTION_OK)
		cluster_die(PQerrorMessage(pg));
	prepare(pg);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 0)
		cluster_die("pipe");
	for (long i = number; i < operations; i += CALLERS) {
		snprintf(user, sizeof(user), "%ld", BARE + 1 + (i * 7919) % PEOPLE);
		snprintf(name, sizeof(name), "bare %d %ld", (int)getpid(), i);
		if (saving)
			bare_save(pg, user, name);
		else
			bare_get(pg, user);
	}
	_exit(EXIT_SUCCESS);
}

static double bare(bool saving)
{
	int ready[2], go[2], status = 0;
	char bytes[CALLERS];
	double from;

	if (pipe(ready) != 0 || pipe(go) != 0)
		cluster_die("pipe");
	for (int i = 0; i < CALLERS; i++)
		if (fork() == 0) {
			close(go[1]);
			bare_caller(i, saving, ready[1], go[0]);
		}
	for (int i = 0; i < CALLERS; i++)
		if (read(ready[0], bytes, 1) != 1)
			cluster_die("pipe");
	from = wall_ms();
	close(go[1]);
	for (int i = 0; i < CALLERS; i++)
		if (wait(&status) < 0 || status != 0)
			cluster_die("bare SQL");
	close(go[0]), close(ready[0]), close(ready[1]);
	return (double)operations / (wall_ms() - from) * 1e3;
}

/* --- what is measured --- */

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), samples_by_size);
	return values[ROUNDS / 2];
}

static void beside(const char *what, bool saving)
{
	double a[ROUNDS], b[ROUNDS], x, y, cpu = 0, own = 0, rows = 0;
	struct samples samples = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		double before = cpu_ms(vault.pid, 0), here = cpu_ms(getpid(), 0), there = cpu_ms(cluster.postmaster, 1);

		a[i] = ours(saving, &samples);
		cpu += cpu_ms(vault.pid, 0) - before;
		own += cpu_ms(getpid(), 0) - here;
		rows += cpu_ms(cluster.postmaster, 1) - there;
		b[i] = bare(saving);
	}
	x = median(a);
	y = median(b);
	printf("%-28s %7.0f/s   bare SQL %7.0f/s   x %.2f%s   median %.2f ms, p99 %.2f ms, n=%zu\n", what, x, y, x / y,
		x < 0.8 * y ? "   missed: the aim is 0.8" : "", samples_at(&samples, 0.5), samples_at(&samples, 0.99), samples.count);
	printf("%-28s %.2f ms of sessiond, %.2f ms of PostgreSQL, %.2f ms of the callers' process, each\n", "  CPU",
		cpu / (double)samples.count, rows / (double)samples.count, own / (double)samples.count);
	free(samples.ms);
}

/* A row for bare SQL beside each person's own. */
static void copy_rows(void)
{
	sql_number("INSERT INTO vault.sessions (id, user_id, site, kind, fingerprint, account, version, last_version, health, protected, saved_at, "
		   "proved_at, proof_at, signed_in_at, format, key_id, envelope) SELECT nextval('vault.session_ids'), user_id + %d, site, kind, "
		   "fingerprint, account, version, last_version, health, protected, saved_at, proved_at, proof_at, signed_in_at, format, key_id, "
		   "envelope FROM vault.sessions", BARE);
}

/* Others' sessions, as small as they can be: what counts is how many there are. */
static void fill(void)
{
	long there = (long)sql_number("SELECT count(*) FROM vault.sessions");

	sql_number("ALTER TABLE vault.sessions DISABLE TRIGGER USER;"
		   "INSERT INTO vault.sessions (id, user_id, site, kind, fingerprint, account, version, last_version, health, protected, "
		   "saved_at, proved_at, proof_at, format, key_id, envelope) SELECT nextval('vault.session_ids'), %d + n / 10, 's' || n %% 10, "
		   "'background', 'bg-' || n, 'a', 1, 1, 'working', true, now(), now(), now(), 2, 1, sha256(n::text::bytea) "
		   "FROM generate_series(1, %ld) n; ALTER TABLE vault.sessions ENABLE TRIGGER USER", 2 * BARE, sessions - there);
	sql_number("VACUUM ANALYZE vault.sessions");
}

static void among(void)
{
	struct samples few = { 0 }, many = { 0 };
	double a, b;

	for (int i = 0; i < ROUNDS; i++)
		ours(false, &few);
	fill();
	ours(false, &(struct samples){ 0 }); /* to warm what is read first */
	for (int i = 0; i < ROUNDS; i++)
		ours(false, &many);
	a = samples_at(&few, 0.99);
	b = samples_at(&many, 0.99);
	printf("get, p99 among %d and %ld      %.2f and %.2f ms   x %.2f%s   n=%zu each\n", 2 * PEOPLE, sessions, a, b, b / a,
		b > 1.3 * a ? "   missed: the aim is 1.3" : "", few.count);
	free(few.ms);
	free(many.ms);
}

static void measure(void *)
{
	for (int64_t user = 1; user <= PEOPLE; user++)
		save_one(&(struct acting){ .user = user, .name = "person", .scopes = SCOPES_PERSON });
	copy_rows();
	sql_number("VACUUM ANALYZE");
	beside("save 4 KB, 8 callers", true);
	beside("get 4 KB, 8 callers", false);
	among();
}

int main(int argc, char *argv[])
{
	sessions = argc > 1 ? strtol(argv[1], NULL, 10) : sessions;
	operations = argc > 2 ? strtol(argv[2], NULL, 10) : operations;
	if (sessions < 2 * PEOPLE || operations < CALLERS || RAND_bytes(state, sizeof(state)) != 1)
		return 2;
	vault_group_set_up(NULL);
	in_fiber(measure, NULL);
	vault_group_tear_down(NULL);
	return EXIT_SUCCESS;
}
