/*
 * steadctl, the administrator's hand: a client of the daemons' control sockets and nothing else. It trusts the daemons
 * behind those sockets, holds nothing, and can do what the control role may; who may use it is decided by the sockets' owner
 * and mode.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/print.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/fiber.h"
#include "common/log.h"
#include "common/loop.h"
#include "proto/json.h"
#include "proto/peer.h"

#define CALL_MS    30000
#define EXIT_USAGE 64

struct invocation {
	const char *socket_dir;
	const struct command *command;
	json_t *params;
	json_t *answers; /* by daemon, when there are several and JSON is wanted */
	bool json, titled;
	int status;
};

static void print_help(FILE *out)
{
	fprintf(out, "Usage: steadctl [--socket-dir DIR] [--json] COMMAND [OPTION]...\n"
		     "Looks after Stead. COMMAND --help says more of each.\n\n");
	command_list(NULL, out);
	fprintf(out, "  completion              A completion script for bash.\n\n"
		     "  --socket-dir DIR        Where the daemons' sockets are (default /run/stead).\n"
		     "  --json                  Print answers as JSON.\n"
		     "  -h, --help, --version\n");
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* No command begins with these words; perhaps several go on from the first, as from "user". next may be NULL. */
static int help_find(const char *word, const char *next)
{
	bool wanted = next && is_help(next);

	if (command_list(word, NULL) == 0) {
		fprintf(stderr, "steadctl: there is no command \"%s\"; these are there:\n", word);
		command_list(NULL, stderr);
		return EXIT_USAGE;
	}
	if (next && !wanted)
		fprintf(stderr, "steadctl: there is no command \"%s %s\"; these are there:\n", word, next);
	else if (!wanted)
		fprintf(stderr, "steadctl: \"%s\" needs another word; these are there:\n", word);
	command_list(word, wanted ? stdout : stderr);
	return wanted ? EXIT_SUCCESS : EXIT_USAGE;
}

/* What stands before the command; how many words it took, or -1 after saying what is wrong. */
static int take_general(int argc, char *argv[], const char **ret_socket_dir, bool *ret_json)
{
	static const char dir[] = "--socket-dir";
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			*ret_json = true;
		} else if (strncmp(argv[i], dir, sizeof(dir) - 1) == 0 && argv[i][sizeof(dir) - 1] == '=') {
			*ret_socket_dir = argv[i] + sizeof(dir);
		} else if (strcmp(argv[i], dir) == 0 && i + 1 < argc) {
			*ret_socket_dir = argv[++i];
		} else if (strcmp(argv[i], dir) == 0) {
			fprintf(stderr, "steadctl: --socket-dir needs a directory\n");
			return -1;
		} else {
			break;
		}
	}
	return i - 1;
}

static void print_json(const json_t *value)
{
	/* What a peer says must not drive the terminal. */
	json_dumpf(value, stdout, JSON_INDENT(2) | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0));
	fputc('\n', stdout);
}

static void print_answer(struct invocation *v, json_t *result)
{
	if (v->answers) {
		json_object_set(v->answers, v->command->daemon, result);
		return;
	}
	if (v->json) {
		print_json(result);
		return;
	}
	if (v->titled)
		printf("%s\n", v->command->daemon);
	print_result(v->command->method, result, stdout);
	if (json_object_size(result) == 0)
		printf("Done.\n");
}

static void print_refusal(struct invocation *v, struct call *call, int r)
{
	char *field = print_plain(call->refusal.field), *why = print_plain(call_why(call, r));

	fflush(stdout);
	fprintf(stderr, "steadctl: %s%s%s\n", field, *field ? ": " : "", why);
	free(field);
	free(why);
	v->status = error_row(r == REFUSED ? call->refusal.code : error_from_errno(r))->exit;
}

static void call_daemon(void *arg)
{
	struct invocation *v = arg;
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(CALL_MS));
	json_t *result;
	struct peer *peer;
	char *path;
	int r;

	if (asprintf(&path, "%s/%s/control", v->socket_dir, v->command->daemon) < 0)
		abort();
	peer = peer_new("steadctl", v->command->daemon, path);
	r = peer_call_json(peer, call, v->command->method, v->params, &result);
	if (r == 0) {
		print_answer(v, result);
		json_decref(result);
	} else {
		print_refusal(v, call, r);
	}
	peer_free(peer);
	free(path);
	loop_stop();
}

/* All rows of the words, one after the other: "status" is answered by every daemon. */
static int run(const char *socket_dir, bool json, const struct command *commands, size_t count, int argc, char *argv[])
{
	bool help = false;
	json_t *params = arguments_parse(&commands[0], argc, argv, &json, &help);
	json_t *answers = NULL;
	int status = EXIT_SUCCESS;

	if (!params)
		return EXIT_USAGE;
	if (help)
		command_help(&commands[0], stdout);
	if (json && count > 1 && !help)
		answers = json_object();
	for (size_t i = 0; i < count && !help; i++) {
		struct invocation v = { .socket_dir = socket_dir, .command = &commands[i], .params = params, .json = json,
			.answers = answers, .titled = count > 1 };
		if (i && !json)
			fputc('\n', stdout);
		fiber_start("call", call_daemon, &v, NULL);
		loop_run();
		if (v.status)
			status = v.status;
	}
	if (answers)
		print_json(answers);
	json_decref(answers);
	json_decref(params);
	return status;
}

static int dispatch(int argc, char *argv[])
{
	const char *socket_dir = "/run/stead";
	struct command commands[COMMAND_MOST];
	size_t count;
	bool json = false;
	int used, taken;

	taken = take_general(argc, argv, &socket_dir, &json);
	if (taken < 0)
		return EXIT_USAGE;
	argc -= taken;
	argv += taken;
	if (argc < 2 || is_help(argv[1])) {
		print_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("steadctl %s\n", STEAD_VERSION);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "completion") == 0) {
		command_completion(stdout);
		return EXIT_SUCCESS;
	}
	count = command_find(argc - 1, argv + 1, commands, &used);
	if (count == 0)
		return help_find(argv[1], argc > 2 ? argv[2] : NULL);
	return run(socket_dir, json, commands, count, argc - 1 - used, argv + 1 + used);
}

int main(int argc, char *argv[])
{
	int status;

	setlocale(LC_ALL, "");
	log_open("steadctl", LOG_WARNING);
	json_cleanse();
	if (loop_init() < 0)
		return EXIT_FAILURE;
	status = dispatch(argc, argv);
	daemon_deinit();
	return status;
}
