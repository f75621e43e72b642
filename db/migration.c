#include "db/migration.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "common/cleanup.h"
#include "common/hex.h"
#include "common/must.h"
#include "common/words.h"

/* Pure parts */

bool migration_parse_name(const char *file, unsigned *ret_number, char ret_name[64], bool *ret_up)
{
	const char *name = file + 5, *end;
	size_t n = strnlen(file, 6);

	if (n < 6 || strspn(file, "0123456789") != 4 || file[4] != '_')
		return false;
	n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	end = name + n;
	if (n == 0 || n > 63 || (strcmp(end, ".up.sql") != 0 && strcmp(end, ".down.sql") != 0))
		return false;
	*ret_number = (unsigned)strtoul(file, NULL, 10);
	memcpy(ret_name, name, n);
	ret_name[n] = '\0';
	*ret_up = end[1] == 'u';
	return *ret_number > 0;
}

static bool is_transaction_command(const char *line)
{
	static const char *const commands[] = {
		"BEGIN;",
		"BEGIN TRANSACTION",
		"START TRANSACTION",
		"COMMIT;",
		"COMMIT TRANSACTION",
		"END TRANSACTION",
		"ROLLBACK;",
		"ABORT;",
	};

	line += strspn(line, " \t");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strncasecmp(line, commands[i], strlen(commands[i])) == 0)
			return true;
	return false;
}

unsigned migration_transaction_line(const char *text)
{
	for (unsigned line = 1; text; line++) {
		if (is_transaction_command(text))
			return line;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return 0;
}

unsigned migration_line(const char *text, unsigned long n)
{
	unsigned line = 1;

	for (; *text && n > 1; text++) {
		line += *text == '\n';
		n -= (text[1] & 0xc0) != 0x80; /* the next byte begins a character */
	}
	return line;
}

/* Reading */

static int migration_read_file(const char *path, char **ret, struct sentence *why)
{
	CLEANUP(fclosep) FILE *f = fopen(path, "re");
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	struct stat st;
	ssize_t n;

	if (!f || fstat(fileno(f), &st) != 0)
		return sentence_set(why, -errno, "%s cannot be read: %s.", path, strerror(errno));
	if (st.st_size == 0 || st.st_size > MIGRATION_SIZE_MAX)
		return sentence_set(why, -EINVAL,
			"%s is %s. Write it, or split it in two migrations.", path,
			st.st_size ? "larger than 4 MiB" : "empty");
	n = getdelim(&text, &size, '\0', f);
	if (n < 0)
		return sentence_set(why, -EIO, "%s cannot be read: %s.", path, strerror(errno));
	if (!text[n - 1])
		return sentence_set(why, -EINVAL, "%s holds a NUL byte, so it is not SQL.", path);
	*ret = TAKE(text);
	return 0;
}

static void sha256_hex(const char *text, char hex[65])
{
	unsigned char digest[32];

	if (!EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL))
		abort();
	hex_set(hex, digest, sizeof(digest));
}

static struct migration *slot(struct migrations *m, unsigned number)
{
	if (number > m->n) {
		m->all = must(reallocarray(m->all, number, sizeof(*m->all)));
		memset(m->all + m->n, 0, (number - m->n) * sizeof(*m->all));
		m->n = number;
	}
	return &m->all[number - 1];
}

static int migration_add_text(struct migration *one, bool up, char **path, struct sentence *why)
{
	char **text = up ? &one->up : &one->down;
	unsigned line;
	int r = migration_read_file(*path, text, why);

	if (r < 0)
		return r;
	line = migration_transaction_line(*text);
	if (line)
		return sentence_set(why, -EINVAL,
			"%s:%u begins or ends a transaction. Take that out: each migration "
			"runs in one transaction that stead-migrate makes.",
			*path, line);
	if (up) {
		sha256_hex(*text, one->sha256);
		one->up_path = TAKE(*path);
	} else {
		one->down_path = TAKE(*path);
	}
	return 0;
}

static int add_file(struct migrations *m, const char *dir, const char *file, struct sentence *why)
{
	CLEANUP(freep) char *path = exact_new("%s/%s", dir, file);
	struct migration *one;
	char name[64];
	unsigned number;
	bool up;

	if (!migration_parse_name(file, &number, name, &up))
		return sentence_set(why, -EINVAL,
			"%s is not named like a migration. Name it 0001_name.up.sql or "
			"0001_name.down.sql, the name in lower-case letters, digits and "
			"underscores.",
			path);
	one = slot(m, number);
	if (*one->name && strcmp(one->name, name) != 0)
		return sentence_set(why, -EINVAL,
			"%s: number %04u belongs to \"%s\" as well. Give one of them the next "
			"free number.",
			path, number, one->name);
	one->number = number;
	memcpy(one->name, name, sizeof(name));
	return migration_add_text(one, up, &path, why);
}

static int check_complete(const struct migrations *m, const char *dir, struct sentence *why)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct migration *one = &m->all[i];

		if (!one->up && !one->down)
			return sentence_set(why, -EINVAL,
				"%s has a gap: there is no migration %04u, but there is a %04u. "
				"Number them without gaps.",
				dir, i + 1, m->n);
		if (!one->up || !one->down)
			return sentence_set(why, -EINVAL,
				"%s: migration %04u \"%s\" has no way %s. Write "
				"%04u_%s.%s.sql.",
				dir, one->number, one->name, one->up ? "back" : "up", one->number,
				one->name, one->up ? "down" : "up");
	}
	return 0;
}

static bool ends_in_sql(const char *file)
{
	size_t n = strlen(file);

	return file[0] != '.' && n >= 4 && strcmp(file + n - 4, ".sql") == 0;
}

int migrations_load(const char *dir, struct migrations **ret, struct sentence *why)
{
	CLEANUP(migrations_freep) struct migrations *m = must(calloc(1, sizeof(*m)));
	CLEANUP(closedirp) DIR *d = opendir(dir);
	struct dirent *entry;
	int r = 0;

	if (!d)
		return sentence_set(
			why, -errno, "The directory %s cannot be read: %s.", dir, strerror(errno));
	while (r == 0 && (entry = readdir(d)))
		if (ends_in_sql(entry->d_name))
			r = add_file(m, dir, entry->d_name, why);
	if (r == 0)
		r = check_complete(m, dir, why);
	if (r == 0)
		*ret = TAKE(m);
	return r;
}

struct migrations *migrations_free(struct migrations *m)
{
	if (!m)
		return NULL;
	for (unsigned i = 0; i < m->n; i++) {
		free(m->all[i].up_path);
		free(m->all[i].down_path);
		free(m->all[i].up);
		free(m->all[i].down);
	}
	free(m->all);
	free(m);
	return NULL;
}

void migrations_freep(struct migrations **m)
{
	*m = migrations_free(*m);
}
