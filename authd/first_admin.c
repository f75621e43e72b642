#include "authd/first_admin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authd/audit.h"
#include "authd/state.h"
#include "authd/password.h"
#include "authd/user.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "db/db.h"

#define RETRY_MS 5000

struct first_admin {
	struct authd *a;
	char name[PASSWORD_MOST + 2], password[PASSWORD_MOST + 2]; /* room to see that one is too long */
};

/* Moves the value of an environment variable into out; what ps(1) and children could see of it is wiped. */
static bool take_variable(const char *variable, char *out, size_t size)
{
	char *value = getenv(variable);

	if (!value)
		return false;
	if (!exact_set(out, size, "%s", value)) /* too long for any: said by what is refused */
		memset(out, 'x', size - 1);
	explicit_bzero(value, strlen(value));
	unsetenv(variable);
	return *out;
}

/* The first line of a credential file. */
static bool read_credential(const char *name, char *out, size_t size)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	CLEANUP(closep) int fd = -1;
	char path[512];
	ssize_t n;

	if (!directory)
		return false;
	if (!exact_set(path, sizeof(path), "%s/%s", directory, name))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (n < 0) {
		if (errno != ENOENT)
			log_error("cannot read the credential %s: %s", path, strerror(errno));
		return false;
	}
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return *out;
}

static void first_admin_read_account(struct first_admin *f)
{
	bool name = take_variable("ADMIN_USER", f->name, sizeof(f->name)) ||
		read_credential("admin-user", f->name, sizeof(f->name));
	bool password = take_variable("ADMIN_PASS", f->password, sizeof(f->password)) ||
		read_credential("admin-pass", f->password, sizeof(f->password));

	if (name && password)
		return;
	if (name || password)
		log_warning("only one of ADMIN_USER and ADMIN_PASS (or of the credentials admin-user and admin-pass) is set, so no first administrator can be made; set both and start authd again");
	*f->name = '\0';
}

struct making {
	struct first_admin *f;
	const char *encoded;
	bool made;
};

/* Several authds may start at once on one database; the lock lets the first one make the account. */
static int first_admin_make(struct db_tx *tx, void *arg)
{
	struct making *m = arg;
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	const struct audit entry = { .event = "first_admin", .user = m->f->name, .detail = "from ADMIN_USER" };
	int64_t id;
	int r = tx_query(tx, NULL, "SELECT pg_advisory_xact_lock(hashtext('authd first_admin'))::text");

	if (r == 0)
		r = tx_query(tx, &res, "SELECT 1 FROM users LIMIT 1");
	if (r < 0 || db_rows(res) > 0)
		return r;
	r = user_insert(tx, m->f->name, m->encoded, true, &id);
	if (r == 0)
		r = audit_write(tx, &entry);
	m->made = r == 0;
	return r;
}

static int accounts_exist(struct authd *a, bool *ret)
{
	CLEANUP(db_result_freep) struct db_result *res = NULL;
	int r = db_read(a->db, DB_SELF, deadline_in(5000), &res, "SELECT 1 FROM users LIMIT $1", DB_INT(1));

	if (r == 0)
		*ret = db_rows(res) > 0;
	return r;
}

static const char *account_refusal(const struct first_admin *f)
{
	const char *why = user_name_refusal(f->name);

	return why ? why : user_password_refusal(f->a, f->name, f->password);
}

/* 0 once nothing is left to do. */
static int try(struct first_admin *f)
{
	char encoded[PASSWORD_ENCODED];
	struct making m = { .f = f, .encoded = encoded };
	bool exist = false;
	int r = accounts_exist(f->a, &exist);

	if (r < 0 || exist)
		return r;
	if (!*f->name) {
		log_warning("there are no accounts and nobody can sign in; use: steadctl user add NAME --admin, or set ADMIN_USER and ADMIN_PASS (or the credentials admin-user and admin-pass) and start authd again");
		return 0;
	}
	if (account_refusal(f)) {
		log_error("the first administrator was not made. ADMIN_USER or ADMIN_PASS (or the credential admin-user or admin-pass) cannot be used: %s",
			account_refusal(f));
		return 0;
	}
	r = password_hash(f->a->workers, &f->a->cost, f->password, deadline_in(30000), encoded);
	if (r == 0)
		r = db_transaction(f->a->db, DB_SELF, deadline_in(10000), first_admin_make, &m);
	if (r == 0 && m.made)
		log_notice("made the first administrator, %s", f->name);
	return r;
}

void first_admin_run(void *authd)
{
	struct first_admin f = { .a = authd };
	bool said = false;
	int r;

	first_admin_read_account(&f);
	while ((r = try(&f)) < 0 && r != -ECANCELED) {
		if (!said && r != -ENOTCONN)
			authd_db_failed(f.a, "looking for accounts", r);
		said |= r != -ENOTCONN;
		if (latch_wait(&f.a->database_back, deadline_in(RETRY_MS)) == -ECANCELED)
			break;
	}
	explicit_bzero(&f, sizeof(f));
}
