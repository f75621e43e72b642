#include "proto/field.h"

#include <string.h>
#include <unistd.h>

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
