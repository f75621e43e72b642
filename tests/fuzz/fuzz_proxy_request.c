/*
 * A browser's request to its proxy, from arbitrary bytes. Whatever is accepted names a host that
 * the egress rule can judge, and the head that goes on is one request, with one end, that closes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/host.h"
#include "launcher/proxy_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int fine)
{
	if (!fine)
		abort();
}

static void check_head(const struct proxy_request *r)
{
	static const char ending[] = "\r\nConnection: close\r\n\r\n";
	size_t n = sizeof(ending) - 1;

	check(r->head_length > n && memcmp(r->head + r->head_length - n, ending, n) == 0);
	check(memmem(r->head, r->head_length, "\r\n\r\n", 4) == r->head + r->head_length - 4);
	check(!memchr(r->head, '\0', r->head_length));
	check(r->head_length <= r->length + n + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_request r;
	struct host host;

	if (proxy_request_parse((const char *)data, size, &r) < 0)
		return 0;
	check(r.length <= size && r.port != 0);
	check(host_parse(r.host, r.host_length, &host) == 0);
	check(r.connect == (r.head == NULL) && r.connect == (r.body == UINT64_MAX));
	if (r.head)
		check_head(&r);
	proxy_request_clear(&r);
	return 0;
}
