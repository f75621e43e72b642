/* Pictures that the vault seals for a person and a job, and keeps nothing of. */
#include "tests/integration/test_sessiond_daemon.h"

#define PICTURE "\xff\xd8\xff JPEG of what the person would see"

static struct answer sealed_by(const struct acting *who, int64_t job, const void *text, size_t size)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(15000));
	struct picture_seal_params p = { .job = job };
	struct picture_seal_result r;
	struct answer a = { 0 };
	struct memfd_view view;

	assert_int_equal(memfd_new("picture", text, size, &p.picture), 0);
	a.r = call_picture_seal(c, vault.bot, &p, &r);
	close(p.picture);
	answer_refusal(&a, c);
	if (a.r < 0)
		return a;
	assert_int_equal(memfd_map(r.sealed, 16 << 20, &view), 0);
	a.size = view.size;
	memcpy(a.state, view.data, view.size < sizeof(a.state) ? view.size : sizeof(a.state));
	memfd_unmap(&view);
	return a;
}

static struct answer opened_by(const struct acting *who, int64_t job, const void *sealed, size_t size)
{
	CLEANUP(call_freep) struct call *c = call_new(NULL, who, deadline_in(15000));
	struct picture_open_params p = { .job = job };
	struct picture_open_result r;
	struct answer a = { 0 };
	struct memfd_view view;

	assert_int_equal(memfd_new("sealed", sealed, size, &p.sealed), 0);
	a.r = call_picture_open(c, vault.bot, &p, &r);
	close(p.sealed);
	answer_refusal(&a, c);
	if (a.r < 0)
		return a;
	assert_int_equal(memfd_map(r.picture, 16 << 20, &view), 0);
	a.size = view.size;
	memcpy(a.state, view.data, view.size < sizeof(a.state) ? view.size : sizeof(a.state));
	memfd_unmap(&view);
	return a;
}

static void for_one_person_and_job(void *arg)
{
	struct answer sealed = sealed_by(&alice, 57, PICTURE, strlen(PICTURE)), a;

	(void)arg;
	assert_done(&sealed);
	assert_null(memmem(sealed.state, sealed.size, "JPEG", 4));
	a = opened_by(&alice, 57, sealed.state, sealed.size);
	assert_state(&a, PICTURE);
	a = opened_by(&bob, 57, sealed.state, sealed.size);
	assert_refused(&a, ERR_vault_refused, "");
	a = opened_by(&alice, 58, sealed.state, sealed.size);
	assert_refused(&a, ERR_vault_refused, "");
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions"), 0);
}

static void damaged(void *arg)
{
	struct answer sealed = sealed_by(&alice, 57, PICTURE, strlen(PICTURE)), a;

	(void)arg;
	for (size_t i = 0; i < sealed.size; i++) {
		sealed.state[i] ^= 1;
		a = opened_by(&alice, 57, sealed.state, sealed.size);
		assert_refused(&a, ERR_vault_refused, "");
		sealed.state[i] ^= 1;
	}
	for (size_t n = 1; n < sealed.size; n += 7) {
		a = opened_by(&alice, 57, sealed.state, n);
		assert_refused(&a, ERR_vault_refused, "");
	}
	a = opened_by(&alice, 57, PICTURE, strlen(PICTURE)); /* one that was never sealed */
	assert_refused(&a, ERR_vault_refused, "");
}

/* Neither can a session be read as a picture, nor a picture be put in a session's place. */
static void no_session(void *arg)
{
	struct answer saved = vault_store(&vault, &alice, (struct save){ "s1", .state = "a session" }), a;
	PGconn *pg = cluster_connect(&cluster);
	PGresult *res = PQexecParams(pg, "SELECT envelope FROM vault.sessions", 0, NULL, NULL, NULL, NULL, 1);

	(void)arg;
	a = opened_by(&alice, saved.id, PQgetvalue(res, 0, 0), (size_t)PQgetlength(res, 0, 0));
	assert_refused(&a, ERR_vault_refused, "");
	PQclear(res);
	a = sealed_by(&alice, saved.id, PICTURE, strlen(PICTURE));
	res = PQexecParams(pg, "UPDATE vault.sessions SET envelope = $1", 1, (Oid[]){ 17 }, (const char *[]){ (char *)a.state },
		(int[]){ (int)a.size }, (int[]){ 1 }, 0);
	PQclear(res);
	PQfinish(pg);
	a = vault_fetch(&vault, &alice, "desk");
	assert_refused(&a, ERR_needs_sign_in, "site");
}

static void large(void *arg)
{
	size_t size = 8 << 20;
	CLEANUP(freep) uint8_t *picture = malloc(size);
	struct answer a;

	(void)arg;
	for (size_t i = 0; i < size; i++)
		picture[i] = (uint8_t)((i * 2654435761u) >> 13);
	a = sealed_by(&alice, 1, picture, size);
	if (a.r == REFUSED) /* an ordinary user may lock less */
		assert_refused(&a, ERR_vault_refused, "");
	else
		assert_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(for_one_person_and_job), VAULT_TEST(damaged), VAULT_TEST(no_session), VAULT_TEST(large),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
