/*
 * A request's head at the edge, from arbitrary bytes. Whatever passes is one GET of HTTP/1.1 in whose lines an upgrade to
 * anything but a WebSocket, a body or a second host cannot be found even by a careless reader.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "streamd/edge/edge_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int fine)
{
	if (!fine)
		abort();
}

/* How many lines begin with name, whatever ends them. */
static int count(const char *head, const char *name, const char **ret_value)
{
	int n = 0;

	for (const char *p = head; *p; p++) {
		if ((*p != '\n' && *p != '\r') || strncasecmp(p + 1, name, strlen(name)) != 0)
			continue;
		*ret_value = p + 1 + strlen(name);
		n++;
	}
	return n;
}

static void check_head(char *head)
{
	const char *value = "";

	check(strncmp(head, "GET /", 5) == 0 && strstr(head, " HTTP/1.1\r\n") < strchr(head, '\n'));
	check(count(head, "host:", &value) == 1);
	check(count(head, "content-length:", &value) + count(head, "transfer-encoding:", &value) == 0);
	check(count(head, " ", &value) + count(head, "\t", &value) == 0);
	check(count(head, "upgrade:", &value) == 1);
	value += strspn(value, " \t");
	check(strncasecmp(value, "websocket", 9) == 0 && value[9 + strspn(value + 9, " \t")] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edge_head_refusal why = { 0 };
	int r = edge_head_check((const char *)data, size, &why);
	const char *end;
	char *head;

	check(r == 0 || r == -EAGAIN || r == -EBADMSG);
	check(r != -EBADMSG || (why.status >= 400 && why.sentence));
	if (r != 0)
		return 0;
	end = memmem(data, size, "\r\n\r\n", 4);
	check(end != NULL && !memchr(data, '\0', (size_t)(end - (const char *)data)));
	head = strndup((const char *)data, (size_t)(end - (const char *)data) + 2);
	check(head != NULL);
	check_head(head);
	free(head);
	return 0;
}
