/*
 * Sessions of format 1, as an older sessiond left them: used at once, sealed anew in format 2 while sessiond serves,
 * whatever interrupts that, and then taken no more.
 */
#include "tests/integration/test_sessiond_daemon.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include "sessiond/gcm.h"
#include "sessiond/hkdf.h"
#include "sessiond/masterkey.h"
#include "sessiond/pack.h"

/* A second maker of format 1, which sessiond itself makes no more; sessiond/envelope.h has every byte of it. */

static uint8_t *put(uint8_t *to, const void *p, size_t n)
{
	memcpy(to, p, n);
	return to + n;
}

static uint8_t *put_number(uint8_t *to, uint64_t value, size_t n)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		to[i] = (uint8_t)value;
	return to + n;
}

static size_t context_1(uint8_t *out, const char *const fields[5], uint64_t version)
{
	uint8_t *p = put_number(put(out, "stead envelope", 14), 1, 4);

	for (int i = 0; i < 5; i++)
		p = put(put_number(p, strlen(fields[i]), 4), fields[i], strlen(fields[i]));
	return (size_t)(put_number(p, version, 8) - out);
}

static void derive(const struct secret *key, const char *info, uint8_t out[32])
{
	const struct hkdf_input in = { .key = key->data, .key_len = key->len, .info = info, .info_len = strlen(info) };

	assert_int_equal(hkdf_sha256(&in, out, 32), 0);
}

static size_t seal_1(const struct secret *master, const char *const fields[5], uint64_t version, const char *text, uint8_t *blob)
{
	uint8_t context[512], aad[12 + 4 + 32], content_key[32], *hash = blob + 8;
	size_t n = context_1(context, fields, version), packed_len;
	CLEANUP(secret_freep) struct secret *packed = NULL, *data_key = NULL;
	struct gcm wrap = { .key = master->data, .nonce = blob + 40, .aad = aad, .aad_len = sizeof(aad) };
	struct gcm content = { .key = content_key, .nonce = blob + 132, .aad = context, .aad_len = n };

	assert_int_equal(secret_new(32, &data_key), 0);
	RAND_bytes(data_key->data, 32);
	RAND_bytes(blob + 40, 12);
	RAND_bytes(blob + 132, 12);
	put_number(put(blob, "STE\1", 4), 1, 4);
	SHA256(context, n, hash);
	put(put(aad, "stead wrap 1", 12), blob + 4, 4 + 32);
	assert_int_equal(gcm_encrypt(&wrap, data_key->data, 32, blob + 52, blob + 84), 0);
	derive(data_key, "stead content 1", content_key);
	derive(data_key, "stead commit 1", blob + 100);
	assert_int_equal(pack_deflate(text, strlen(text), &packed, &packed_len), 0);
	assert_int_equal(gcm_encrypt(&content, packed->data, packed_len, blob + 144, blob + 144 + packed_len), 0);
	return 160 + packed_len;
}

/* Puts a blob of format 1 in the place of one of a session's states, which says the same. */
static void make_old(int64_t id, bool newest, const char *text)
{
	CLEANUP(masterkeys_freep) struct masterkeys *keys = NULL;
	PGconn *pg = cluster_connect(&cluster);
	char why[MASTERKEY_WHY], sql[400];
	uint8_t blob[1024];
	PGresult *row;

	assert_int_equal(masterkeys_load(vault.keys, &keys, why), 0);
	snprintf(sql, sizeof(sql), "SELECT user_id, site, fingerprint, id, kind, %s FROM vault.sessions WHERE id = %lld",
		newest ? "newest_version" : "version", (long long)id);
	row = PQexec(pg, sql);
	const char *const fields[] = { PQgetvalue(row, 0, 0), PQgetvalue(row, 0, 1), PQgetvalue(row, 0, 2), PQgetvalue(row, 0, 3),
		PQgetvalue(row, 0, 4) };
	size_t n = seal_1(masterkeys_get(keys, 1), fields, strtoull(PQgetvalue(row, 0, 5), NULL, 10), text, blob);
	PQclear(row);
	snprintf(sql, sizeof(sql), "UPDATE vault.sessions SET format = 1, %s = $1 WHERE id = %lld", newest ? "newest_envelope" : "envelope",
		(long long)id);
	row = PQexecParams(pg, sql, 1, (Oid[]){ 17 }, (const char *[]){ (char *)blob }, (int[]){ (int)n }, (int[]){ 1 }, 0);
	assert_int_equal(PQresultStatus(row), PGRES_COMMAND_OK);
	PQclear(row);
	PQfinish(pg);
}

#define SESSIONS 40

/* Of a vault that an older sessiond has left, with a newer state beside some. */
static void old_vault(void)
{
	for (int i = 0; i < SESSIONS; i++) {
		char site[24], newer[24];
		struct answer a;

		snprintf(site, sizeof(site), "site%d", i);
		snprintf(newer, sizeof(newer), "newer%d", i);
		a = vault_store(&vault, &alice, (struct save){ "s", .site = site, .state = "x" });
		assert_done(&a);
		if (i % 2)
			vault_store(&vault, &alice, (struct save){ "t", .site = site, .replaces = 1, .state = "x", .unproved = true });
		make_old(a.id, false, site);
		if (i % 2)
			make_old(a.id, true, newer);
	}
	vault_stop(&vault, SIGTERM);
	vault_forget_marks(&vault);
}

static void assert_all_open(void)
{
	for (int i = 0; i < SESSIONS; i++) {
		char site[24], newer[24];
		struct answer a;

		snprintf(site, sizeof(site), "site%d", i);
		snprintf(newer, sizeof(newer), "newer%d", i);
		a = vault_fetch(&vault, &alice, site);
		assert_state(&a, i % 2 ? newer : site);
		a = vault_fetch_state(&vault, &alice, site, "proved");
		assert_state(&a, site);
	}
}

static int64_t left(void)
{
	return sql_number("SELECT count(*) FROM vault.sessions WHERE format = 1");
}

static void await(int64_t count)
{
	int64_t end = deadline_in(20000);

	while (left() > count) {
		assert_true(loop_now() < end);
		fiber_sleep_until(deadline_in(5));
	}
	assert_int_equal(left(), count);
}

static void await_said(const char *text)
{
	int64_t end = deadline_in(20000);

	while (!vault_said(&vault, text)) {
		assert_true(loop_now() < end);
		fiber_sleep_until(deadline_in(5));
	}
}

#define ENDED "what is in format 1 is taken no more"

static void sealed_while_serving(void *arg)
{
	(void)arg;
	old_vault();
	assert_true(vault_start(&vault));
	assert_all_open(); /* whether it has been sealed yet or not */
	await_said(ENDED);
	assert_int_equal(left(), 0);
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions WHERE get_byte(envelope, 3) <> 2 OR get_byte(newest_envelope, 3) <> 2"), 0);
	assert_all_open();
}

/* One that somebody is writing, and one that is leased, are passed over; killed there, it goes on with them. */
static void interrupted_and_resumed(void *arg)
{
	PGconn *pg = cluster_connect(&cluster);

	(void)arg;
	old_vault();
	PQclear(PQexec(pg, "BEGIN; SELECT id FROM vault.sessions WHERE site = 'site20' FOR UPDATE"));
	sql_number("UPDATE vault.sessions SET lease_holder = 'x', lease_until = now() + interval '1 h' WHERE site = 'site30'");
	assert_true(vault_start(&vault));
	await(2);
	assert_all_open();
	assert_false(vault_said(&vault, ENDED));
	vault_stop(&vault, SIGKILL);
	PQfinish(pg);
	sql_number("UPDATE vault.sessions SET lease_holder = NULL, lease_until = NULL");
	assert_true(vault_start(&vault));
	await_said(ENDED);
	assert_all_open();
}

/* Killed again and again in the middle. */
static void killed_meanwhile(void *arg)
{
	(void)arg;
	old_vault();
	for (int i = 0; i < 8 && left() > 0; i++) {
		assert_true(vault_start(&vault));
		fiber_sleep_until(deadline_in(1 + 7 * i));
		vault_stop(&vault, SIGKILL);
	}
	assert_true(vault_start(&vault));
	await_said(ENDED);
	assert_all_open();
}

static struct answer fetch_desk(void)
{
	return vault_fetch(&vault, &alice, "desk");
}

static void put_back_after_its_end(void *arg)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, NULL, deadline_in(20000));
	struct sessiond_status_params sp = {};
	struct sessiond_status_result status;
	struct vault_accept_restore_params p = {};
	struct vault_accept_restore_result r;
	struct answer saved = vault_store(&vault, &alice, (struct save){ "s1", .state = "x" }), a;

	(void)arg;
	assert_done(&saved);
	await_said(ENDED);
	make_old(saved.id, false, "of format 1"); /* of the right row and version, under the right key */
	a = fetch_desk();
	assert_refused(&a, ERR_vault_refused, "");
	sql_number("UPDATE vault.sessions SET format = 2"); /* whatever the row says of it */
	a = fetch_desk();
	assert_refused(&a, ERR_vault_refused, "");
	assert_true(vault_said(&vault, "a format whose time has ended here"));
	vault_stop(&vault, SIGTERM);
	assert_true(vault_start(&vault)); /* for good: also after a restart */
	a = fetch_desk();
	assert_refused(&a, ERR_vault_refused, "");
	assert_int_equal(call_sessiond_status(c, vault.control, &sp, &status), 0);
	assert_int_equal(status.put_back, 1);
	sql_number("UPDATE vault.sessions SET format = 1"); /* as a backup of an older Stead has it */
	assert_int_equal(call_vault_accept_restore(c, vault.control, &p, &r), 0);
	await(0);
	a = fetch_desk();
	assert_state(&a, "of format 1");
}

/* What cannot be opened does not keep format 1 alive, and its person is asked. */
static void damaged(void *arg)
{
	struct answer one = vault_store(&vault, &alice, (struct save){ "s1", .state = "x" }), two, a;

	(void)arg;
	two = vault_store(&vault, &alice, (struct save){ "s2", .site = "gym", .state = "x" });
	a = vault_store(&vault, &alice, (struct save){ "s3", .site = "gym", .replaces = 1, .state = "x", .unproved = true });
	assert_done(&a);
	make_old(one.id, false, "one");
	make_old(two.id, false, "two");
	make_old(two.id, true, "newer");
	sql_number("UPDATE vault.sessions SET envelope = set_byte(envelope, 150, get_byte(envelope, 150) # 1) WHERE site = 'desk';"
		   "UPDATE vault.sessions SET newest_envelope = set_byte(newest_envelope, 60, get_byte(newest_envelope, 60) # 1)");
	vault_stop(&vault, SIGTERM);
	vault_forget_marks(&vault);
	assert_true(vault_start(&vault));
	await_said(ENDED);
	a = fetch_desk();
	assert_refused(&a, ERR_needs_sign_in, "site");
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions WHERE health = 'needs_sign_in'"), 1);
	a = vault_fetch(&vault, &alice, "gym");
	assert_state(&a, "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(sealed_while_serving), VAULT_TEST(interrupted_and_resumed), VAULT_TEST(killed_meanwhile),
		VAULT_TEST(put_back_after_its_end), VAULT_TEST(damaged),
	};

	if (secret_init(SECRET_HEAP_DEFAULT) < 0)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
