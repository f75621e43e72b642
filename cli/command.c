#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "common/cleanup.h"
#include "common/must.h"
#include "common/nearest.h"
#include "common/words.h"

#define HELP_COLUMNS    80
#define HELP_LEFT       26 /* where sentences begin */
#define STATUS_SENTENCE "Whether all is well, and how every part of Stead is."

struct listing {
	struct command all[256];
	size_t count;
};

/* Every row that steadctl can call. */
static struct listing collect_rows(void)
{
	struct listing l = { .count = 0 };

	for (const struct method_list *const *list = method_lists(); *list; list++) {
		for (size_t i = 0; i < (*list)->count; i++) {
			const struct method *m = (*list)->methods[i];
			if (m->cli && (m->roles & ROLE_CONTROL) && l.count < sizeof(l.all) / sizeof(*l.all))
				l.all[l.count++] = (struct command){ (*list)->daemon, m };
		}
	}
	return l;
}

/* How many arguments the template's fixed words match, or 0 if they do not. "session show {id}" has two. */
static int words_matched(const char *template, int argc, char *const argv[])
{
	int n = 0;

	while (*template && *template != '{') {
		size_t length = strcspn(template, " ");
		if (n == argc || strlen(argv[n]) != length || strncmp(argv[n], template, length) != 0)
			return 0;
		n++;
		template += length + strspn(template + length, " ");
	}
	return n;
}

size_t command_find(int argc, char *const argv[], struct command ret[COMMAND_MOST], int *ret_used)
{
	struct listing l = collect_rows();
	size_t count = 0;

	*ret_used = 0;
	for (size_t i = 0; i < l.count; i++) {
		int n = words_matched(l.all[i].method->cli, argc, argv);
		if (n == 0 || n < *ret_used)
			continue;
		if (n > *ret_used)
			count = 0;
		*ret_used = n;
		if (count < COMMAND_MOST)
			ret[count++] = l.all[i];
	}
	return count;
}

static bool is_listed(const struct listing *l, const char *words)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->all[i].method->cli, words) == 0)
			return true;
	return false;
}

static int by_words(const void *a, const void *b)
{
	return strcmp(((const struct command *)a)->method->cli, ((const struct command *)b)->method->cli);
}

/* In the order of their words; a command that several daemons answer is listed once. */
static struct listing collect_all(void)
{
	struct listing rows = collect_rows(), l = { .count = 0 };

	for (size_t i = 0; i < rows.count; i++)
		if (!is_listed(&l, rows.all[i].method->cli))
			l.all[l.count++] = rows.all[i];
	qsort(l.all, l.count, sizeof(*l.all), by_words);
	return l;
}

/* "session show {id}" for people: session show ID. To be freed. */
static char *usage_of(const char *template)
{
	char *text = must(strdup(template)), *to = text;
	bool upper = false;

	for (; *template; template++) {
		if (*template == '{' || *template == '}')
			upper = *template == '{';
		else
			*to++ = upper && *template >= 'a' && *template <= 'z' ? (char)(*template - 'a' + 'A') : *template;
	}
	*to = '\0';
	return text;
}

void command_help_line(const char *left, const char *sentence, FILE *out)
{
	const struct page page = { .out = out, .columns = HELP_COLUMNS };

	fprintf(out, "  ");
	if (columns_of(left) + 2 > HELP_LEFT - 2)
		fprintf(out, "%s\n%*s", left, HELP_LEFT, "");
	else
		columns_pad(out, left, HELP_LEFT - 2);
	columns_wrap(&page, HELP_LEFT, sentence);
}

static bool is_status(const struct method *m)
{
	return strcmp(m->cli, "status") == 0;
}

static bool begins_with(const char *template, const char *word)
{
	size_t n = strcspn(template, " ");

	return strlen(word) == n && strncmp(template, word, n) == 0;
}

size_t command_list(const char *first, FILE *out)
{
	struct listing l = collect_all();
	size_t count = 0;

	for (size_t i = 0; i < l.count; i++) {
		const struct method *m = l.all[i].method;
		if (first && !begins_with(m->cli, first))
			continue;
		count++;
		if (!out)
			continue;
		CLEANUP(freep) char *usage = usage_of(m->cli);
		command_help_line(usage, is_status(m) ? STATUS_SENTENCE : m->sentence, out);
	}
	return count;
}

/* The fixed words of a template before those in braces. */
static char *fixed_words(const char *template)
{
	size_t n = strcspn(template, "{");

	while (n && template[n - 1] == ' ')
		n--;
	return must(strndup(template, n));
}

char *command_nearest(const char *word, const char *next)
{
	struct listing l = collect_all();
	CLEANUP(freep) char *both = exact_new("%s%s%s", word, next ? " " : "", next ? next : "");
	char *best = NULL;
	struct nearest whole = nearest_to(both), first = nearest_to(word);

	for (size_t i = 0; i < l.count; i++) {
		CLEANUP(freep) char *words = fixed_words(l.all[i].method->cli);
		CLEANUP(freep) char *noun = must(strndup(words, strcspn(words, " ")));
		struct nearest was = whole;
		nearest_consider(&whole, words);
		if (whole.distance < was.distance) {
			free(best);
			best = strdup(words);
		}
		was = first;
		nearest_consider(&first, noun);
		if (!best && first.distance < was.distance)
			best = strdup(noun);
	}
	return best;
}

bool command_has_place(const struct method *m, const char *name)
{
	char place[80];

	exact_must(place, sizeof(place), "{%s}", name);
	return strstr(m->cli, place) != NULL;
}

/* A positional field by its name, a secret as what is asked for, the rest as options. */
static void print_option(const struct method *m, const struct field *f, bool optional, FILE *out)
{
	char left[80];

	if (command_has_place(m, f->name))
		exact_must(left, sizeof(left), "{%s}", f->name);
	else if (f->kind == FIELD_SECRET)
		exact_must(left, sizeof(left), "(%s is asked for)", f->name);
	else
		exact_must(left, sizeof(left), "--%s%s", f->name,
			f->kind == FIELD_BOOL ? "" : f->kind == FIELD_INT ? " N" : " TEXT");
	CLEANUP(freep) char *usage = usage_of(left);
	CLEANUP(freep) char *sentence = exact_new("%s%s", f->sentence, optional || left[0] != '-' || f->kind == FIELD_BOOL ? "" : " (required)");
	command_help_line(usage, sentence, out);
}

void command_help(const struct command *c, FILE *out)
{
	const struct page page = { .out = out, .columns = HELP_COLUMNS };
	CLEANUP(freep) char *usage = usage_of(c->method->cli);
	bool optional = false;

	fprintf(out, "Usage: steadctl %s [OPTION]...\n", usage);
	columns_wrap(&page, 0, is_status(c->method) ? STATUS_SENTENCE : c->method->sentence);
	fputc('\n', out);
	for (const struct field *f = c->method->params(); f->kind != FIELD_END; f++) {
		if (f->kind == FIELD_OPTIONAL) {
			optional = true;
			continue;
		}
		print_option(c->method, f, optional, out);
		optional = false;
	}
	command_help_line("--json", "Print the answer as JSON.", out);
	command_help_line("--wide", "Print whole lines, however narrow the terminal is.", out);
	if (!is_status(c->method))
		return;
	command_help_line("--quiet", "Print problems alone, and nothing when all is well; for cron.", out);
	fprintf(out, "\nExit status: 0 all is well; 69 a part is away or tells of trouble; 77 it may not\nbe asked.\n");
}

static void print_line(const char *s, size_t n, FILE *out)
{
	fwrite(s, 1, n, out);
	fputc('\n', out);
}

void command_completion(FILE *out)
{
	struct listing l = collect_all();

	fprintf(out, "# bash completion for steadctl; put it into /etc/bash_completion.d/steadctl\n"
		     "_steadctl() {\n\tlocal line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" cur=\"${COMP_WORDS[COMP_CWORD]}\" words=''\n"
		     "\tcase \"$cur\" in -*) COMPREPLY=($(compgen -W '--socket-dir --json --wide --help --version' -- \"$cur\")); return;; esac\n"
		     "\twhile IFS= read -r known; do\n"
		     "\t\t[ -z \"$line\" ] && words+=\" ${known%%%% *}\"\n"
		     "\t\t[ -n \"$line\" ] && [ \"$known\" != \"${known#\"$line \"}\" ] && { known=\"${known#\"$line \"}\"; words+=\" ${known%%%% *}\"; }\n"
		     "\tdone <<'END'\n");
	for (size_t i = 0; i < l.count; i++)
		print_line(l.all[i].method->cli, strcspn(l.all[i].method->cli, "{"), out);
	fprintf(out, "END\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\" | sort -u))\n}\ncomplete -F _steadctl steadctl\n");
}
