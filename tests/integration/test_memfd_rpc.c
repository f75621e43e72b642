/*
 * Descriptors beside a frame, as somebody sends them who does not use our client: missing, of another kind, unsealed,
 * too large. Each call is refused, naming the parameter; nothing is saved, and the daemon goes on.
 */
#include "tests/integration/test_sessiond_frames.h"

#include <sys/mman.h>

#define MOST (64 << 20) /* proto/sessiond.def, session_store */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* A save with that descriptor beside it; says is what the refusal must contain. */
static void refused(int descriptor, bool announced, const char *says)
{
	CLEANUP(closep) int s = greet();
	char text[2048], request[512];

	snprintf(request, sizeof(request),
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session_store\",%s\"for\":{\"user\":7,\"scopes\":\"session_use\"},\"params\":{"
		"\"save\":\"s\",\"site\":\"desk\",\"account\":\"a\",\"proved_at_ms\":1,\"state\":true}}",
		announced ? "\"fd\":true," : "");
	send_frame(s, request, descriptor);
	read_frame(s, text, sizeof(text));
	if (!strstr(text, says))
		print_error("the answer was: %s\n", text);
	assert_non_null(strstr(text, says));
	assert_non_null(strstr(text, "\"error\""));
	assert_int_equal(sql_number("SELECT count(*) FROM vault.sessions"), 0);
}

static int memfd_of(size_t size, int seals)
{
	int fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, (off_t)size), 0); /* a hole: takes no memory */
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void oversized(void *arg)
{
	CLEANUP(closep) int fd = memfd_of((size_t)MOST + 1, SEALS);

	(void)arg;
	refused(fd, true, "state");
}

static void huge(void *arg)
{
	CLEANUP(closep) int fd = memfd_of((size_t)1 << 40, SEALS);

	(void)arg;
	refused(fd, true, "state");
}

static void every_seal_is_needed(void *arg)
{
	static const int missing[] = { F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, SEALS };

	(void)arg;
	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		CLEANUP(closep) int fd = memfd_of(5, SEALS & ~missing[i] & ~F_SEAL_SEAL);
		refused(fd, true, "not sealed");
	}
}

static void another_kind(void *arg)
{
	CLEANUP(closep) int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	int pipes[2];

	(void)arg;
	refused(file, true, "state");
	assert_int_equal(pipe(pipes), 0);
	refused(pipes[0], true, "state");
	close(pipes[0]);
	close(pipes[1]);
}

static void none(void *arg)
{
	(void)arg;
	refused(-1, false, "state");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(oversized),
		VAULT_TEST(huge),
		VAULT_TEST(every_seal_is_needed),
		VAULT_TEST(another_kind),
		VAULT_TEST(none),
	};

	return cmocka_run_group_tests(tests, vault_group_set_up, vault_group_tear_down);
}
