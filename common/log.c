#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/utf.h"

#define LINE_MAX_BYTES 4096

static const char *program = "stead";
static enum log_level most_level = LOG_INFO;
static int journal = -1;
static const struct log_context *(*find_context)(void);
static void (*capture)(enum log_level, const char *);

/* JOURNAL_STREAM holds the device and inode of standard error when the journal reads it. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int journal_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void log_open(const char *name, enum log_level most)
{
	program = name;
	most_level = most;
	if (journal < 0 && stderr_is_journal())
		journal = journal_connect();
}

void log_to_journal(int fd)
{
	if (journal >= 0)
		close(journal);
	journal = fd;
}

void log_context_hook(const struct log_context *(*find)(void))
{
	find_context = find;
}

void log_capture(void (*sink)(enum log_level level, const char *line))
{
	capture = sink;
}

bool log_enabled(enum log_level level)
{
	return level <= most_level;
}

/* How many bytes the UTF-8 character at s has, or 0 if it is none or one of the controls (C0, DEL, C1). */
static size_t printable(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = *u < 0x80 ? 1 : *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : 4;

	if (*u < 0x20 || *u == 0x7f || (*u == 0xc2 && u[1] < 0xa0))
		return 0;
	return strnlen(s, n) == n && utf8_valid(s, n) ? n : 0;
}

/* Control characters would let a peer forge lines or drive the operator's terminal. */
static void escape(const char *in, char *out, size_t size)
{
	size_t n = 0;

	while (*in && n + 5 < size) {
		size_t length = printable(in);
		if (length == 0) {
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", (unsigned char)*in++);
			continue;
		}
		memcpy(out + n, in, length);
		n += length;
		in += length;
	}
	out[n] = '\0';
}

/* What is too long for its place is cut; the context of a line is short by nature. */
static void field(char *out, size_t size, size_t *n, const char *format, const char *value)
{
	char escaped[160];

	if (!value || *n >= size)
		return;
	escape(value, escaped, sizeof(escaped));
	int r = snprintf(out + *n, size - *n, format, escaped);
	if (r > 0)
		*n += (size_t)r;
}

/* systemd's native protocol: NAME=value lines in one datagram (systemd.io/JOURNAL_NATIVE_PROTOCOL). */
static bool send_to_journal(enum log_level level, const char *line, const struct log_context *c)
{
	char text[LINE_MAX_BYTES + 1024];
	size_t n = 0;

	n = (size_t)snprintf(text, sizeof(text), "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", level,
		program, line);
	if (c) {
		field(text, sizeof(text), &n, "STEAD_CONNECTION=%s\n", c->connection);
		field(text, sizeof(text), &n, "STEAD_CALL=%s\n", c->call);
		field(text, sizeof(text), &n, "STEAD_METHOD=%s\n", c->method);
		field(text, sizeof(text), &n, "STEAD_USER=%s\n", c->user);
	}
	return n < sizeof(text) && send(journal, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n;
}

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_ERROR: return "error";
	case LOG_WARNING: return "warning";
	case LOG_NOTICE: return "notice";
	case LOG_INFO: return "info";
	case LOG_DEBUG: return "debug";
	}
	return "?";
}

static void send_to_stderr(enum log_level level, const char *line, const struct log_context *c)
{
	char text[LINE_MAX_BYTES + 1024], stamp[32];
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
	n = (size_t)snprintf(text, sizeof(text) - 1, "%s.%03ld %s %s: %s", stamp, now.tv_nsec / 1000000,
		program, level_word(level), line);
	if (c) {
		field(text, sizeof(text) - 1, &n, " method=%s", c->method);
		field(text, sizeof(text) - 1, &n, " call=%s", c->call);
		field(text, sizeof(text) - 1, &n, " user=%s", c->user);
	}
	if (n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	if (write(STDERR_FILENO, text, n) < 0)
		return; /* nowhere left to say it */
}

void log_write(enum log_level level, const char *format, ...)
{
	char raw[LINE_MAX_BYTES / 2], line[LINE_MAX_BYTES];
	int saved_errno = errno;
	va_list args;

	if (!log_enabled(level) && !capture)
		return;
	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	escape(raw, line, sizeof(line));
	if (capture)
		capture(level, line);
	const struct log_context *c = find_context ? find_context() : NULL;
	if (log_enabled(level) && (journal < 0 || !send_to_journal(level, line, c)))
		send_to_stderr(level, line, c);
	errno = saved_errno;
}
