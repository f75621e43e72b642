#include "db/wire.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <string.h>

#define MS_1970_TO_2000 INT64_C(946684800000)

int64_t wire_time_from_ms(int64_t ms)
{
	int64_t us;

	if (ms == DB_NEVER || __builtin_sub_overflow(ms, MS_1970_TO_2000, &us) ||
		__builtin_mul_overflow(us, 1000, &us))
		return ms < 0 ? INT64_MIN : INT64_MAX; /* '-infinity', 'infinity' */
	return us;
}

int64_t wire_time_to_ms(int64_t us)
{
	if (us == INT64_MAX || us == INT64_MIN)
		return us;
	return us / 1000 - (us % 1000 < 0) + MS_1970_TO_2000;
}

int64_t wire_int(const void *p, int size)
{
	const unsigned char *byte = p;
	uint64_t value = (signed char)byte[0] < 0 ? UINT64_MAX : 0;

	for (int i = 0; i < size; i++)
		value = value << 8 | byte[i];
	return (int64_t)value;
}

static void put_binary(struct wire_params *p, int i, Oid type, const void *data, size_t size)
{
	assert(size <= INT_MAX);
	p->types[i] = type;
	p->values[i] = data;
	p->lengths[i] = (int)size;
	p->formats[i] = 1;
}

static void put_number(struct wire_params *p, int i, Oid type, uint64_t number)
{
	p->wire[i] = htobe64(number);
	put_binary(p, i, type, &p->wire[i], sizeof(p->wire[i]));
}

static void wire_put_bool(struct wire_params *p, int i, bool value)
{
	memset(&p->wire[i], value, 1);
	put_binary(p, i, OID_BOOL, &p->wire[i], 1);
}

static void wire_put_text(struct wire_params *p, int i, const char *text)
{
	p->types[i] = 0; /* the statement decides */
	p->values[i] = text;
	p->lengths[i] = 0;
	p->formats[i] = 0;
}

void wire_params_fill(struct wire_params *p, const struct db_arg *args, size_t n)
{
	assert(n <= DB_ARGS_MAX);
	p->n = (int)n;
	for (int i = 0; i < p->n; i++) {
		const struct db_arg *a = &args[i];

		switch (a->type) {
		case DB_TYPE_INT: put_number(p, i, OID_INT8, (uint64_t)a->integer); break;
		case DB_TYPE_BOOL: wire_put_bool(p, i, a->integer); break;
		case DB_TYPE_TEXT: wire_put_text(p, i, a->data); break;
		case DB_TYPE_BYTES: put_binary(p, i, OID_BYTEA, a->data, a->size); break;
		case DB_TYPE_TIME:
			put_number(p, i, OID_TIMESTAMPTZ, (uint64_t)wire_time_from_ms(a->integer));
			break;
		}
	}
}
