#include "common/host.h"

#include <errno.h>
#include <string.h>

#define MOST_LABEL 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int copy_lower(const char *text, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_' && c != '.')
			return -EINVAL;
		out[i] = c;
	}
	out[length] = '\0';
	return 0;
}

static bool labels_fit(const char *name)
{
	for (;;) {
		size_t n = strcspn(name, ".");
		if (n == 0 || n > MOST_LABEL)
			return false;
		if (!name[n])
			return true;
		name += n + 1;
	}
}

/* Resolvers take such names for addresses; nobody's top-level domain is a number. */
static bool ends_in_number(const char *name)
{
	const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
	bool hex = last[0] == '0' && last[1] == 'x';

	last += hex ? 2 : 0;
	return !last[strspn(last, hex ? "0123456789abcdef" : "0123456789")];
}

static int parse_address(const char *text, size_t length, struct host *ret)
{
	char copy[ADDRESS_TEXT] = "";
	struct host host = { .literal = true };

	if (length >= 2 && text[0] == '[' && text[length - 1] == ']' && memchr(text, ':', length)) {
		text++;
		length -= 2;
	}
	if (length >= sizeof(copy) || memchr(text, 0, length))
		return -EINVAL;
	memcpy(copy, text, length);
	if (address_parse(copy, &host.address) < 0)
		return -EINVAL;
	address_format(&host.address, host.name);
	*ret = host;
	return 0;
}

int host_parse(const char *text, size_t length, struct host *ret)
{
	struct host host = { .literal = false };

	if (length > 1 && text[length - 1] == '.')
		length--;
	if (parse_address(text, length, ret) == 0)
		return 0;
	if (length == 0 || length >= sizeof(host.name))
		return -EINVAL;
	if (copy_lower(text, length, host.name) < 0 || !labels_fit(host.name) ||
		ends_in_number(host.name))
		return -EINVAL;
	*ret = host;
	return 0;
}

static int parse_port(const char *text, size_t length, uint16_t *ret)
{
	unsigned long n = 0;

	if (length == 0 || length > 5)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(text[i]))
			return -EINVAL;
		n = n * 10 + (unsigned long)(text[i] - '0');
	}
	if (n == 0 || n > 65535)
		return -EINVAL;
	*ret = (uint16_t)n;
	return 0;
}

int host_parse_port(
	const char *text, size_t length, uint16_t otherwise, struct host *ret, uint16_t *ret_port)
{
	const char *colon = memrchr(text, ':', length);
	uint16_t port = otherwise;

	/* The colon is a port's if it is the only one, or stands behind a bracket. */
	if (colon && (memchr(text, ':', length) == colon || colon[-1] == ']')) {
		if (parse_port(colon + 1, length - (size_t)(colon + 1 - text), &port) < 0)
			return -EINVAL;
		length = (size_t)(colon - text);
	}
	if (host_parse(text, length, ret) < 0)
		return -EINVAL;
	*ret_port = port;
	return 0;
}

bool host_equal(const struct host *a, const struct host *b)
{
	if (a->literal || b->literal)
		return a->literal && b->literal && address_equal(&a->address, &b->address);
	return strcmp(a->name, b->name) == 0;
}

const char *host_in_url(const char *url, size_t *ret_n)
{
	const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
	size_t n = host ? strcspn(host, "/?#") : 0;
	const char *at = host ? memrchr(host, '@', n) : NULL;

	*ret_n = at ? n - (size_t)(at + 1 - host) : n;
	return at ? at + 1 : host;
}
