/*
 * Frames to sessiond by hand, as somebody sends them who does not use our client, which would refuse to send some of them.
 */
#pragma once

#include "tests/integration/test_sessiond_daemon.h"

#include <arpa/inet.h>
#include <sys/un.h>

/* A frame with a descriptor beside it, or with none if that is -1. */
static inline void send_frame(int to, const char *text, int fd)
{
	uint32_t length = htonl((uint32_t)strlen(text));
	struct iovec parts[] = { { &length, 4 }, { (void *)text, strlen(text) } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = "" };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(to, &m, 0), (ssize_t)(4 + strlen(text)));
}

/* The next answer, NUL-terminated; "" if the connection was closed instead. */
static inline void read_frame(int from, char *text, size_t size)
{
	uint32_t length = 0;

	*text = '\0';
	if (recv(from, &length, 4, MSG_WAITALL) != 4)
		return;
	length = ntohl(length);
	assert_true(length < size);
	assert_int_equal(recv(from, text, length, MSG_WAITALL), length);
	text[length] = '\0';
}

/* A connection to the socket that streamd has, with hello said. */
static inline int greet(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[2048];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/sessiond/stream", vault.dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	send_frame(fd,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":2,\"program\":\"test\"}}", -1);
	read_frame(fd, text, sizeof(text));
	assert_non_null(strstr(text, "\"id\":1"));
	assert_null(strstr(text, "error"));
	return fd;
}
