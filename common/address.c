#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

struct range {
	uint8_t bytes[16];
	unsigned bits;
	const char *kind;
};

static const struct range ranges4[] = {
	{ { 0 }, 8, "an unspecified address" },
	{ { 10 }, 8, "a private address" },
	{ { 100, 64 }, 10, "an address of carrier-grade NAT" },
	{ { 127 }, 8, "a loopback address" },
	{ { 169, 254, 169, 254 }, 32, "the address of a cloud's metadata service" },
	{ { 169, 254 }, 16, "a link-local address" },
	{ { 168, 63, 129, 16 }, 32,
		"the address of a cloud's metadata service"}, /* Azure; looks public */
	{ { 172, 16 }, 12, "a private address" },
	{ { 192, 0, 0 }, 24, "an address for protocol assignments" },
	{ { 192, 0, 2 }, 24, "an address for documentation" },
	{ { 192, 88, 99 }, 24, "an address of a 6to4 relay" },
	{ { 192, 168 }, 16, "a private address" },
	{ { 198, 18 }, 15, "an address for benchmarks" },
	{ { 198, 51, 100 }, 24, "an address for documentation" },
	{ { 203, 0, 113 }, 24, "an address for documentation" },
	{ { 224 }, 4, "a multicast address" },
	{ { 240 }, 4, "a reserved address" },
};

/* Only within 2000::/3: everything outside is refused below. */
static const struct range ranges6[] = {
	{ { 0x20, 0x01, 0, 0 }, 32, "a Teredo address" },
	{ { 0x20, 0x01, 0 }, 23, "an address for protocol assignments" },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, "an address for documentation" },
	{ { 0x20, 0x02 }, 16, "a 6to4 address" },
	{ { 0x3f, 0xff, 0 }, 20, "an address for documentation" },
};

static const struct range outside6[] = {
	{ { 0 }, 128, "an unspecified address" },
	{ {[15] = 1}, 128, "a loopback address"},
	{ { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 }, 128,
		"the address of a cloud's metadata service"},
	{ { 0xfc }, 7, "a private address" },
	{ { 0xfe, 0x80 }, 10, "a link-local address" },
	{ { 0xff }, 8, "a multicast address" },
};

static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b }; /* RFC 6052 section 2.1 */

static bool in_range(const uint8_t *bytes, const struct range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(bytes, r->bytes, whole) == 0 &&
	       (!rest || (bytes[whole] & mask) == (r->bytes[whole] & mask));
}

static const char *kind_in(const uint8_t *bytes, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in_range(bytes, &ranges[i]))
			return ranges[i].kind;
	return NULL;
}

static void from_bytes6(const uint8_t *bytes, struct address *ret)
{
	*ret = (struct address){ .family = AF_INET6 };
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		ret->family = AF_INET;
		memcpy(ret->bytes, bytes + 12, 4);
	} else {
		memcpy(ret->bytes, bytes, 16);
	}
}

int address_parse(const char *text, struct address *ret)
{
	uint8_t bytes[16] = { 0 };

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret = (struct address){ .family = AF_INET };
		memcpy(ret->bytes, bytes, 4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return -EINVAL;
	from_bytes6(bytes, ret);
	return 0;
}

int address_from_sockaddr(const struct sockaddr *sa, struct address *ret)
{
	if (sa->sa_family == AF_INET) {
		*ret = (struct address){ .family = AF_INET };
		memcpy(ret->bytes, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
		return 0;
	}
	if (sa->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	from_bytes6(((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr, ret);
	return 0;
}

socklen_t address_to_sockaddr(const struct address *a, uint16_t port, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->bytes, 16);
	return sizeof(*in6);
}

const char *address_format(const struct address *a, char text[ADDRESS_TEXT])
{
	return inet_ntop(a->family, a->bytes, text, ADDRESS_TEXT);
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

#define KIND_IN(bytes, table) kind_in(bytes, table, sizeof(table) / sizeof(*(table)))

const char *address_special(const struct address *a)
{
	const char *kind;

	if (a->family == AF_INET)
		return KIND_IN(a->bytes, ranges4);
	if (memcmp(a->bytes, nat64, sizeof(nat64)) == 0)
		return KIND_IN(a->bytes + 12, ranges4);
	if ((a->bytes[0] & 0xe0) == 0x20)
		return KIND_IN(a->bytes, ranges6);
	/* RFC 4291 section 2.4: global unicast so far is 2000::/3 alone. */
	kind = KIND_IN(a->bytes, outside6);
	return kind ? kind : "a reserved address";
}
