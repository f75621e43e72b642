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
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/names.h"
#include "cli/print.h"
#include "cli/status.h"
#include "common/cleanup.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "proto/json.h"

#define EXIT_USAGE 64
#define CALL_MS    30000

static void main_print_help(FILE *out)
{
	fprintf(out, "Usage: steadctl [--socket-dir DIR] [--json] COMMAND [OPTION]...\n"
		     "Looks after Stead. COMMAND --help, or help COMMAND, says more of each.\n\n");
	command_list(NULL, out);
	command_help_line("completion", "A completion script for bash.", out);
	command_help_line("version", "The version of steadctl; status has those of the daemons.", out);
	fputc('\n', out);
	command_help_line("--socket-dir DIR", "Where the daemons' sockets are (default /run/stead).", out);
	command_help_line("--json", "Print answers as JSON.", out);
	command_help_line("--wide", "Print whole lines, however narrow the terminal is.", out);
	fprintf(out, "  -h, --help, --version\n\n"
		     "Examples:\n"
		     "  steadctl status                     is all well?\n"
		     "  steadctl user add ada --admin       an account; its password is asked for\n"
		     "  steadctl booking list --limit 5     the newest bookings\n"
		     "  steadctl log 17                     what was done for booking 17\n");
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static void say_unknown(const char *word, const char *next)
{
	CLEANUP(freep) char *meant = command_nearest(word, next);

	fprintf(stderr, "steadctl: there is no command \"%s%s%s\"", word, next ? " " : "", next ? next : "");
	if (meant)
		fprintf(stderr, "; did you mean \"%s\"?", meant);
	else
		fputc('.', stderr);
}

/* No command begins with these words; perhaps several go on from the first, as from "user". next may be NULL. */
static int help_find(const char *word, const char *next)
{
	bool wanted = next && is_help(next);

	if (command_list(word, NULL) == 0) {
		say_unknown(word, wanted ? NULL : next);
		fprintf(stderr, " All are said by: steadctl help\n"); /* the whole list would push this out of sight */
		return EXIT_USAGE;
	}
	if (next && !wanted) {
		say_unknown(word, next);
		fprintf(stderr, " These are there:\n");
	} else if (!wanted) {
		fprintf(stderr, "steadctl: \"%s\" needs another word; these are there:\n", word);
	}
	command_list(word, wanted ? stdout : stderr);
	return wanted ? EXIT_SUCCESS : EXIT_USAGE;
}

/* What stands before the command; how many words it took, or -1 after saying what is wrong. */
static int take_general(int argc, char *argv[], const char **ret_socket_dir, struct wish *wish)
{
	static const char dir[] = "--socket-dir";
	int i;

	for (i = 1; i < argc; i++) {
		if (strncmp(argv[i], dir, sizeof(dir) - 1) == 0 && argv[i][sizeof(dir) - 1] == '=') {
			*ret_socket_dir = argv[i] + sizeof(dir);
		} else if (strcmp(argv[i], dir) == 0 && i + 1 < argc) {
			*ret_socket_dir = argv[++i];
		} else if (strcmp(argv[i], dir) == 0) {
			fprintf(stderr, "steadctl: --socket-dir needs a directory\n");
			return -1;
		} else if (is_help(argv[i]) || !arguments_wish(argv[i], wish)) {
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

/* As the HTTP API says it. */
static json_t *json_of(const struct answer *a)
{
	if (a->result)
		return json_incref(a->result);
	return json_pack("{s{ss ss ss}}", "error", "code", error_row(a->refusal.code)->name, "message", a->refusal.message, "detail",
		a->refusal.detail);
}

static void print_all_json(const struct answer *answers, size_t count)
{
	json_auto_t *all = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(all, answers[i].command->daemon, json_of(&answers[i]));
	print_json(all);
}

static int print_one(const struct answer *a, const struct wish *wish)
{
	const struct page page = page_stdout(wish->wide);

	if (!a->result) {
		CLEANUP(freep) char *why = ask_cause(&a->refusal);
		fprintf(stderr, "steadctl: %s\n", why);
		return error_row(a->refusal.code)->exit;
	}
	if (wish->json)
		print_json(a->result);
	else if (json_object_size(a->result) == 0)
		printf("Done.\n");
	else
		print_result(&page, a->command->method, a->result);
	return EXIT_SUCCESS;
}

/* "status" is answered by every daemon. */
static int print_status(const struct answer *answers, size_t count, const struct wish *wish)
{
	const struct page page = page_stdout(wish->wide);

	if (wish->json)
		print_all_json(answers, count);
	return status_print(wish->json ? NULL : &page, answers, count, wish->quiet);
}

/* Others that several daemons answer: each for itself, under its name. */
static int print_each(const struct answer *answers, size_t count, const struct wish *wish)
{
	int status = EXIT_SUCCESS;

	if (wish->json)
		print_all_json(answers, count);
	for (size_t i = 0; i < count; i++) {
		int one = answers[i].result ? EXIT_SUCCESS : error_row(answers[i].refusal.code)->exit;
		if (!wish->json) {
			printf("%s%s:\n", i ? "\n" : "", answers[i].command->daemon);
			fflush(stdout);
			one = print_one(&answers[i], wish);
		}
		status = status ? status : one;
	}
	return status;
}

static int main_run(const char *socket_dir, struct wish *wish, const struct command *commands, size_t count, int argc, char *argv[])
{
	json_auto_t *params = arguments_parse(&commands[0], argc, argv, wish);
	struct answer answers[COMMAND_MOST];
	int status;

	if (!params)
		return EXIT_USAGE;
	if (wish->help) {
		command_help(&commands[0], stdout);
		return EXIT_SUCCESS;
	}
	if (wish->quiet && count == 1) {
		fprintf(stderr, "steadctl: --quiet is for status alone\n");
		return EXIT_USAGE;
	}
	if (!ask_finds(socket_dir)) {
		fprintf(stderr, "steadctl: There is no socket %s/%s/control; is --socket-dir right, and is Stead started?\n", socket_dir,
			commands[0].daemon);
		return error_row(ERR_unavailable)->exit;
	}
	ask_daemons(socket_dir, commands, count, params, CALL_MS, answers);
	if (count == 1 && answers[0].result && !wish->json)
		names_put(socket_dir, answers[0].result);
	if (strcmp(commands[0].method->cli, "status") == 0)
		status = print_status(answers, count, wish);
	else
		status = count > 1 ? print_each(answers, count, wish) : print_one(&answers[0], wish);
	for (size_t i = 0; i < count; i++)
		json_decref(answers[i].result);
	return status;
}

/* What is no daemon's to answer; -1 if it is none of these. */
static int main_run_own(int argc, char *argv[])
{
	if (argc < 2 || (is_help(argv[1]) && argc == 2)) {
		main_print_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		printf("steadctl %s\n", STEAD_VERSION);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "completion") == 0) {
		command_completion(stdout);
		return EXIT_SUCCESS;
	}
	return -1;
}

/* "help user add" is "user add --help". */
static int help_with(int argc, char *argv[])
{
	struct command commands[COMMAND_MOST];
	int used;

	if (command_find(argc, argv, commands, &used) == 0)
		return help_find(argv[0], argc > 1 ? argv[1] : "help");
	command_help(&commands[0], stdout);
	return EXIT_SUCCESS;
}

static int main_dispatch(int argc, char *argv[])
{
	const char *socket_dir = "/run/stead";
	struct command commands[COMMAND_MOST];
	struct wish wish = { 0 };
	size_t count;
	int used, status, taken = take_general(argc, argv, &socket_dir, &wish);

	if (taken < 0)
		return EXIT_USAGE;
	argc -= taken;
	argv += taken;
	status = main_run_own(argc, argv);
	if (status >= 0)
		return status;
	if (is_help(argv[1]))
		return help_with(argc - 2, argv + 2);
	count = command_find(argc - 1, argv + 1, commands, &used);
	if (count == 0)
		return help_find(argv[1], argc > 2 ? argv[2] : NULL);
	return main_run(socket_dir, &wish, commands, count, argc - 1 - used, argv + 1 + used);
}

int main(int argc, char *argv[])
{
	int status;

	setlocale(LC_ALL, "");
	log_open("steadctl", LOG_WARNING);
	json_cleanse();
	if (secret_disable_dumps() < 0 || loop_init() < 0) /* passwords are typed here */
		return EXIT_FAILURE;
	status = main_dispatch(argc, argv);
	daemon_deinit();
	return status;
}
