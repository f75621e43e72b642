#include "db/remark.h"

#include <string.h>
#include <sys/stat.h>

#include "common/span.h"
#include "common/words.h"
#include "db/conninfo.h"

/* One of a list that commas part: a socket's directory, an abstract socket, or this machine's own address. */
static bool is_here(struct span host)
{
	return host.n == 0 || *host.p == '/' || *host.p == '@' || (host.n > 4 && strncmp(host.p, "127.", 4) == 0) ||
		span_is(host, "localhost") || span_is(host, "::1");
}

static bool all_here(const char *hosts)
{
	struct span rest = span_of(hosts), host;

	while (span_next(&rest, ",", &host))
		if (!is_here(host))
			return false;
	return true;
}

/* hostaddr is what is dialled where both are given. */
static bool is_distant(const PQconninfoOption *options)
{
	const char *address = conninfo_value(options, "hostaddr");

	return !all_here(address ? address : conninfo_value(options, "host"));
}

static bool others_read(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && (st.st_mode & S_IROTH);
}

static void remark_password(const PQconninfoOption *options, const char *file, char *out, size_t size)
{
	if (!conninfo_value(options, "password"))
		return;
	if (!file)
		words_add(out, size, "The password of the database stands on the command line, where everybody on this machine can read it; "
				     "put it into a file. ");
	else if (others_read(file))
		words_add(out, size,
			"Everybody on this machine can read %s, and the password of the database stands in it; take that right away "
			"(docs/install.md: systemd-tmpfiles --create stead.conf), and change the password. ",
			BRIEF(200, file));
}

static void remark_tls(const PQconninfoOption *options, char *out, size_t size)
{
	const char *mode = conninfo_value(options, "sslmode");

	if (is_distant(options) && (!mode || strcmp(mode, "verify-full") != 0))
		words_add(out, size,
			"The database is on another machine, and sslmode=%s does not make sure that it is the right one: whoever is "
			"between can read and change everything; set sslmode=verify-full and sslrootcert=FILE. ",
			BRIEF(20, mode ? mode : "prefer"));
}

bool db_remark(const char *conninfo, const char *file, char *out, size_t size)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

	*out = '\0';
	if (!options) /* whoever connects with it says so */
		return false;
	remark_password(options, file, out, size);
	remark_tls(options, out, size);
	PQconninfoFree(options);
	if (*out)
		out[strlen(out) - 1] = '\0';
	return *out;
}
