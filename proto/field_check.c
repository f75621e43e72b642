#include "proto/field_check.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "common/memfd.h"
#include "common/span.h"
#include "common/words.h"
#include "proto/field.h"

static void field_check_place_print(const struct place *p, char *out, size_t size)
{
	if (!p)
		return;
	field_check_place_print(p->parent, out, size);
	if (p->index >= 0)
		words_add(out, size, "[%ld]", p->index);
	else
		words_add(out, size, "%s%s", *out ? "." : "", p->name);
}

int field_refuse(struct decoder *d, const struct place *at, const char *format, ...)
{
	char path[sizeof(d->why->field)] = "", message[512];
	va_list args;

	field_check_place_print(at, path, sizeof(path));
	va_start(args, format);
	words_set_v(message, sizeof(message), format, args);
	va_end(args);
	refusal_set(d->why, ERR_invalid, path, "%s", message);
	return FIELD_REFUSED;
}

int field_take_text(struct decoder *d, const struct place *at, const struct field *f, const char *s, size_t n,
	const char **out)
{
	if (n == 0)
		return field_refuse(d, at, "%s must not be empty.", f->name);
	if (n > (size_t)f->most)
		return field_refuse(d, at, "%s has %zu bytes; at most %lld are allowed.", f->name, n, (long long)f->most);
	*out = s;
	return 0;
}

int field_take_enum(struct decoder *d, const struct place *at, const struct field *f, const char *s, const char **out)
{
	if (!span_lists(f->words, "|", s))
		return field_refuse_kind(d, at, f);
	*out = s;
	return 0;
}

int field_take_int(struct decoder *d, const struct place *at, const struct field *f, int64_t n, int64_t *out)
{
	if (n < f->least || n > f->most)
		return field_refuse(d, at, "%s must be between %lld and %lld, not %lld.", f->name, (long long)f->least,
			(long long)f->most, (long long)n);
	*out = n;
	return 0;
}

int field_take_real(struct decoder *d, const struct place *at, const struct field *f, double n, double *out)
{
	if (n < (double)f->least || n > (double)f->most)
		return field_refuse(d, at, "%s must be between %lld and %lld.", f->name, (long long)f->least,
			(long long)f->most);
	*out = n;
	return 0;
}

int field_take_json(struct decoder *d, const struct place *at, const struct field *f, json_t *value, json_t **out)
{
	size_t n = json_dumpb(value, NULL, 0, JSON_COMPACT);

	if (n > (size_t)f->most)
		return field_refuse(d, at, "%s has %zu bytes; at most %lld are allowed.", f->name, n, (long long)f->most);
	*out = value;
	return 0;
}

int field_take_fd(struct decoder *d, const struct place *at, const struct field *f, int64_t said, int *out)
{
	size_t size;
	int r;

	if (!d->fd || *d->fd < 0)
		return field_refuse(d, at, "%s needs a descriptor beside the frame, and none came.", f->name);
	if (f->kind == FIELD_MEMFD) {
		r = memfd_check(*d->fd, (size_t)f->most, &size);
		if (r == -EPERM)
			return field_refuse(d, at, "%s came in memory that is not sealed.", f->name);
		if (r == -EFBIG)
			return field_refuse(d, at, "%s is larger than %lld bytes.", f->name, (long long)f->most);
		if (r < 0)
			return field_refuse(d, at, "%s did not come as a memfd.", f->name);
		if (said < 0 || (size_t)said != size)
			return field_refuse(d, at, "%s does not have the size that the frame says.", f->name);
	}
	*out = *d->fd;
	*d->fd = -1;
	return 0;
}

int field_refuse_kind(struct decoder *d, const struct place *at, const struct field *f)
{
	const char *name = f->name;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET: return field_refuse(d, at, "%s must be a text.", name);
	case FIELD_INT: return field_refuse(d, at, "%s must be a whole number.", name);
	case FIELD_REAL: return field_refuse(d, at, "%s must be a number.", name);
	case FIELD_BOOL: return field_refuse(d, at, "%s must be true or false.", name);
	case FIELD_ENUM: return field_refuse(d, at, "%s must be one of %s.", name, f->words);
	case FIELD_JSON: return field_refuse(d, at, "%s must be an object.", name);
	case FIELD_STRS: return field_refuse(d, at, "%s must be a list of at most %lld texts.", name, (long long)f->most);
	case FIELD_LIST: return field_refuse(d, at, "%s must be a list of at most %lld.", name, (long long)f->most);
	default: return field_refuse(d, at, "This must be an object.");
	}
}

int field_refuse_missing(struct decoder *d, const struct place *at, const struct field *f)
{
	struct place here = { .parent = at, .name = f->name, .index = -1 };

	return field_refuse(d, &here, "%s is missing. %s", f->name, f->sentence);
}

int field_refuse_unknown(struct decoder *d, const struct place *at, const char *name)
{
	struct place here = { .parent = at, .name = name, .index = -1 };

	return field_refuse(d, &here, "There is no parameter \"%s\" here.", BRIEF(64, name));
}

static void each_fd(const struct field *rows, void *out, void (*fn)(int *fd))
{
	for (const struct field *f = rows; f->kind != FIELD_END; f++)
		if (f->kind == FIELD_MEMFD || f->kind == FIELD_HANDLE)
			fn((int *)(void *)((char *)out + f->offset));
}

static void set_absent(int *fd)
{
	*fd = -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void fields_init(const struct field *rows, void *out, size_t size)
{
	if (size)
		memset(out, 0, size);
	each_fd(rows, out, set_absent);
}

void fields_close(const struct field *rows, void *out)
{
	each_fd(rows, out, close_fd);
}
