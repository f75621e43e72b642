#include "cli/prompt.h"

#include <ctype.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static char *read_line(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, stdin);

	if (n > 0 && line[n - 1] == '\n')
		line[--n] = '\0';
	if (n > 0)
		return line;
	free(line);
	return NULL;
}

static struct termios before;

/* Whoever changes their mind shall see again what they type. */
static void on_interrupt(int number)
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	signal(number, SIG_DFL);
	raise(number);
}

static char *read_without_echo(void)
{
	struct termios quiet;
	char *line;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return read_line();
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	line = read_line();
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	fputc('\n', stderr);
	return line;
}

char *prompt_secret(const char *name)
{
	char *line;

	if (isatty(STDIN_FILENO)) {
		fprintf(stderr, "%c%s: ", toupper((unsigned char)name[0]), name + 1);
		line = read_without_echo();
	} else {
		line = read_line();
	}
	if (!line)
		fprintf(stderr, "steadctl: no %s was given\n", name);
	return line;
}
