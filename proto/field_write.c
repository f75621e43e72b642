#include "proto/field.h"

#include <errno.h>
#include <string.h>

#include "common/memfd.h"
#include "common/span.h"
#include "proto/text.h"

/* One encoding under way. */
struct writer {
	struct bytes *text;
	int fd;
	struct refusal *why;
};

static int write_object(struct writer *w, const struct field *rows, const void *in);

static bool is_zero(const struct field *f, const void *in)
{
	const char *at = (const char *)in + f->offset;

	switch (f->kind) {
	case FIELD_INT: return *(const int64_t *)(const void *)at == 0;
	case FIELD_REAL: return *(const double *)(const void *)at == 0;
	case FIELD_BOOL: return !*(const bool *)(const void *)at;
	case FIELD_STRS:
	case FIELD_LIST: return *(const size_t *)(const void *)((const char *)in + f->count_offset) == 0;
	case FIELD_MEMFD:
	case FIELD_HANDLE: return *(const int *)(const void *)at < 0;
	default: return !*(void *const *)(const void *)at;
	}
}

static int broken(struct writer *w, const struct field *f, const char *what)
{
	refusal_set(w->why, ERR_internal, f->name, "%s %s.", f->name, what);
	return -EINVAL;
}

static int write_text(struct writer *w, const struct field *f, const char *s, int64_t most)
{
	size_t n = s ? strlen(s) : 0;

	if (n == 0 || n > (size_t)most)
		return broken(w, f, n == 0 ? "is empty" : "is too long");
	return text_string(w->text, s, n) ? 0 : broken(w, f, "is not UTF-8");
}

static int write_enum(struct writer *w, const struct field *f, const char *s)
{
	if (!s || !span_lists(f->words, "|", s))
		return broken(w, f, "is none of its words");
	return text_string(w->text, s, strlen(s)) ? 0 : broken(w, f, "is not UTF-8");
}

static int write_int(struct writer *w, const struct field *f, int64_t n)
{
	if (n < f->least || n > f->most)
		return broken(w, f, "is out of its range");
	text_whole(w->text, n);
	return 0;
}

static int write_real(struct writer *w, const struct field *f, double n)
{
	if (!(n >= (double)f->least && n <= (double)f->most)) /* a NaN is in no range */
		return broken(w, f, "is out of its range");
	text_real(w->text, n);
	return 0;
}

static int write_json(struct writer *w, const struct field *f, const json_t *value)
{
	size_t before = w->text->n;

	if (!json_is_object(value))
		return broken(w, f, value ? "is not an object" : "is empty");
	text_json(w->text, value);
	return w->text->n - before > (size_t)f->most ? broken(w, f, "is too long") : 0;
}

static int write_list(struct writer *w, const struct field *f, const void *in)
{
	const char *items = *(const char *const *)(const void *)((const char *)in + f->offset);
	size_t n = *(const size_t *)(const void *)((const char *)in + f->count_offset);
	int e = 0;

	if (n > (size_t)f->most)
		return broken(w, f, "has too many items");
	bytes_put(w->text, "[", 1);
	for (size_t i = 0; i < n && e == 0; i++) {
		bytes_put(w->text, ",", i > 0);
		if (f->kind == FIELD_STRS)
			e = write_text(w, f, ((const char *const *)(const void *)items)[i], f->each);
		else
			e = write_object(w, f->type(), items + i * f->size);
	}
	bytes_put(w->text, "]", 1);
	return e;
}

static int write_fd(struct writer *w, const struct field *f, int fd)
{
	size_t size = 0;

	if (fd < 0 || w->fd >= 0)
		return broken(w, f, fd < 0 ? "has no descriptor" : "is a second descriptor");
	if (f->kind == FIELD_MEMFD && memfd_check(fd, (size_t)f->most, &size) < 0)
		return broken(w, f, "is not a sealed memfd of an allowed size");
	w->fd = fd;
	text_whole(w->text, (int64_t)size);
	return 0;
}

static int write_value(struct writer *w, const struct field *f, const void *in)
{
	const void *at = (const char *)in + f->offset;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_SECRET: return write_text(w, f, *(const char *const *)at, f->most);
	case FIELD_ENUM: return write_enum(w, f, *(const char *const *)at);
	case FIELD_INT: return write_int(w, f, *(const int64_t *)at);
	case FIELD_REAL: return write_real(w, f, *(const double *)at);
	case FIELD_BOOL: bytes_puts(w->text, *(const bool *)at ? "true" : "false"); return 0;
	case FIELD_JSON: return write_json(w, f, *(json_t *const *)at);
	case FIELD_STRS:
	case FIELD_LIST: return write_list(w, f, in);
	case FIELD_OBJ:
		if (!*(void *const *)at)
			return broken(w, f, "is empty");
		return write_object(w, f->type(), *(void *const *)at);
	case FIELD_MEMFD:
	case FIELD_HANDLE: return write_fd(w, f, *(const int *)at);
	case FIELD_END:
	case FIELD_OPTIONAL: break;
	}
	return -EINVAL;
}

static int write_object(struct writer *w, const struct field *rows, const void *in)
{
	bool optional = false, first = true;
	int e = 0;

	bytes_put(w->text, "{", 1);
	for (const struct field *f = rows; f->kind != FIELD_END && e == 0; f++) {
		if (f->kind == FIELD_OPTIONAL) {
			optional = true;
			continue;
		}
		if (!optional || !is_zero(f, in)) {
			bytes_puts(w->text, first ? "\"" : ",\"");
			bytes_puts(w->text, f->name);
			bytes_put(w->text, "\":", 2);
			first = false;
			e = write_value(w, f, in);
		}
		optional = false;
	}
	bytes_put(w->text, "}", 1);
	return e;
}

int fields_write(struct bytes *text, const struct field *rows, const void *in, int *ret_fd, struct refusal *why)
{
	struct writer w = { .text = text, .fd = -1, .why = why };
	int e = write_object(&w, rows, in);

	if (e == 0)
		*ret_fd = w.fd;
	return e;
}
