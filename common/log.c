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

#include "common/hex.h"
#include "common/utf.h"
#include "common/words.h"

#define LINE_MAX_BYTES 4096
#define CUT            "\xe2\x80\xa6" /* an ellipsis */

static const char *const level_words[] = {
	[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

static const char *program = "stead";
static enum log_level most_level = LOG_INFO;
static int journal = -1;
static const struct log_context *(*find_context)(void);
static void (*log_sink)(enum log_level, const char *);

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
	log_sink = sink;
}

bool log_level_named(const char *word, enum log_level *ret)
{
	for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		if (strcmp(level_words[level], word) == 0) {
			*ret = level;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= most_level;
}

/* How many bytes the UTF-8 character at s has; 0 if it is none, a control or an explicit change of direction. */
static size_t printable(const char *s)
{
	size_t n = 0;
	uint32_t c = utf8_next(s, strnlen(s, 4), &n);

	return (n == 1 && c >= 0x80) || utf_is_control(c) || utf_turns_direction(c) ? 0 : n;
}

/* Control characters would let a peer forge lines or drive the operator's terminal, and marks of direction garble them. */
static void escape(const char *in, char *out, size_t size)
{
	size_t n = 0;

	while (*in && n + 5 < size) {
		size_t length = printable(in);
		if (length == 0) {
			memcpy(out + n, "\\x", 2);
			hex_set(out + n + 2, in++, 1);
			n += 4;
			continue;
		}
		memcpy(out + n, in, length);
		n += length;
		in += length;
	}
	out[n] = '\0';
}

/* What is too long for its place is cut; the context of a line is short by nature. */
static void log_field(char *out, size_t size, size_t *n, const char *format, const char *value)
{
	char escaped[160];

	if (!value || *n >= size)
		return;
	escape(value, escaped, sizeof(escaped));
	if (exact_set(out + *n, size - *n, format, escaped))
		*n += strlen(out + *n);
}

/* systemd's native protocol: NAME=value lines in one datagram (systemd.io/JOURNAL_NATIVE_PROTOCOL). */
static bool send_to_journal(enum log_level level, const char *line, const struct log_context *c)
{
	char text[LINE_MAX_BYTES + 1024];
	size_t n;

	if (!exact_set(text, sizeof(text), "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", level, program, line))
		return false;
	n = strlen(text);
	if (c) {
		log_field(text, sizeof(text), &n, "STEAD_CONNECTION=%s\n", c->connection);
		log_field(text, sizeof(text), &n, "STEAD_CALL=%s\n", c->call);
		log_field(text, sizeof(text), &n, "STEAD_METHOD=%s\n", c->method);
		log_field(text, sizeof(text), &n, "STEAD_USER=%s\n", c->user);
	}
	return send(journal, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n;
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
	if (!exact_set(text, sizeof(text) - 1, "%s.%03ld %s %s: %s", stamp, now.tv_nsec / 1000000, program, level_words[level], line))
		return;
	n = strlen(text);
	if (c) {
		log_field(text, sizeof(text) - 1, &n, " method=%s", c->method);
		log_field(text, sizeof(text) - 1, &n, " call=%s", c->call);
		log_field(text, sizeof(text) - 1, &n, " user=%s", c->user);
	}
	text[n++] = '\n';
	if (write(STDERR_FILENO, text, n) < 0)
		return; /* nowhere left to say it */
}

/* Not by words_set_v(), which makes blanks of what escape() is to show; but it ends in a whole character and hides secrets, too. */
static void print_raw(char *raw, size_t size, const char *format, va_list args)
{
	int n = vsnprintf(raw, size, format, args);
	bool cut = n >= 0 && (size_t)n >= size;
	size_t whole;

	if (n < 0)
		*raw = '\0';
	whole = words_hide_secrets(raw, cut ? words_fit(raw, size - 1, size - sizeof(CUT)) : strlen(raw), cut);
	if (cut)
		memcpy(raw + whole, CUT, sizeof(CUT));
}

void log_write(enum log_level level, const char *format, ...)
{
	char raw[LINE_MAX_BYTES / 2], line[LINE_MAX_BYTES];
	int saved_errno = errno;
	va_list args;

	if (!log_enabled(level) && !log_sink)
		return;
	va_start(args, format);
	print_raw(raw, sizeof(raw), format, args);
	va_end(args);
	escape(raw, line, sizeof(line));
	if (log_sink)
		log_sink(level, line);
	const struct log_context *c = find_context ? find_context() : NULL;
	if (log_enabled(level) && (journal < 0 || !send_to_journal(level, line, c)))
		send_to_stderr(level, line, c);
	errno = saved_errno;
}
