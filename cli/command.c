#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

/* Calls fn for every row that steadctl can call. */
static void each(void (*fn)(const struct command *c, void *arg), void *arg)
{
	for (const struct method_list *const *list = method_lists(); *list; list++) {
		for (size_t i = 0; i < (*list)->count; i++) {
			struct command c = { (*list)->daemon, (*list)->methods[i] };
			if (c.method->cli && (c.method->roles & ROLE_CONTROL))
				fn(&c, arg);
		}
	}
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

struct finding {
	int argc;
	char *const *argv;
	struct command *found;
	size_t count;
	int used;
};

static void consider(const struct command *c, void *arg)
{
	struct finding *f = arg;
	int n = words_matched(c->method->cli, f->argc, f->argv);

	if (n == 0 || n < f->used)
		return;
	if (n > f->used)
		f->count = 0;
	f->used = n;
	if (f->count < COMMAND_MOST)
		f->found[f->count++] = *c;
}

size_t command_find(int argc, char *const argv[], struct command ret[COMMAND_MOST], int *ret_used)
{
	struct finding f = { .argc = argc, .argv = argv, .found = ret };

	each(consider, &f);
	*ret_used = f.used;
	return f.count;
}

struct listing {
	struct command all[256];
	size_t count;
};

/* A command that several daemons answer is listed once. */
static void collect(const struct command *c, void *arg)
{
	struct listing *l = arg;

	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->all[i].method->cli, c->method->cli) == 0)
			return;
	if (l->count < sizeof(l->all) / sizeof(*l->all))
		l->all[l->count++] = *c;
}

static int by_words(const void *a, const void *b)
{
	return strcmp(((const struct command *)a)->method->cli, ((const struct command *)b)->method->cli);
}

static struct listing collect_all(void)
{
	struct listing l = { .count = 0 };

	each(collect, &l);
	qsort(l.all, l.count, sizeof(*l.all), by_words);
	return l;
}

/* "session show {id}" for people: session show ID. */
static void print_usage(const char *template, FILE *out)
{
	bool upper = false;

	for (; *template; template++) {
		if (*template == '{' || *template == '}')
			upper = *template == '{';
		else
			fputc(upper && *template >= 'a' && *template <= 'z' ? *template - 'a' + 'A' : *template, out);
	}
}

static int usage_width(const char *template)
{
	int n = 0;

	for (; *template; template++)
		n += *template != '{' && *template != '}';
	return n;
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
		fprintf(out, "  ");
		print_usage(m->cli, out);
		fprintf(out, "%*s%s\n", 24 - usage_width(m->cli), "", is_status(m) ? "How every part of Stead is." : m->sentence);
	}
	return count;
}

static bool is_positional(const char *template, const char *name)
{
	char place[80];

	snprintf(place, sizeof(place), "{%s}", name);
	return strstr(template, place) != NULL;
}

/* A positional field by its name, a secret as what is asked for, the rest as options. */
static void print_option(const struct method *m, const struct field *f, bool optional, FILE *out)
{
	char left[80];

	if (is_positional(m->cli, f->name))
		snprintf(left, sizeof(left), "{%s}", f->name);
	else if (f->kind == FIELD_SECRET)
		snprintf(left, sizeof(left), "(%s is asked for)", f->name);
	else
		snprintf(left, sizeof(left), "--%s%s", f->name,
			f->kind == FIELD_BOOL ? "" : f->kind == FIELD_INT ? " N" : " TEXT");
	fprintf(out, "  ");
	print_usage(left, out);
	fprintf(out, "%*s%s%s\n", 24 - usage_width(left), "", f->sentence,
		optional || left[0] != '-' || f->kind == FIELD_BOOL ? "" : " (required)");
}

void command_help(const struct command *c, FILE *out)
{
	bool optional = false;

	fprintf(out, "Usage: steadctl ");
	print_usage(c->method->cli, out);
	fprintf(out, " [OPTION]...\n%s\n\n", c->method->sentence);
	for (const struct field *f = c->method->params(); f->kind != FIELD_END; f++) {
		if (f->kind == FIELD_OPTIONAL) {
			optional = true;
			continue;
		}
		print_option(c->method, f, optional, out);
		optional = false;
	}
	fprintf(out, "  --json                  Print the answer as JSON.\n");
}

void command_completion(FILE *out)
{
	struct listing l = collect_all();

	fprintf(out, "# bash completion for steadctl; put it into /etc/bash_completion.d/steadctl\n"
		     "_steadctl() {\n\tlocal line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" cur=\"${COMP_WORDS[COMP_CWORD]}\" words=''\n"
		     "\tcase \"$cur\" in -*) COMPREPLY=($(compgen -W '--socket-dir --json --help --version' -- \"$cur\")); return;; esac\n"
		     "\twhile IFS= read -r known; do\n"
		     "\t\t[ -z \"$line\" ] && words+=\" ${known%%%% *}\"\n"
		     "\t\t[ -n \"$line\" ] && [ \"$known\" != \"${known#\"$line \"}\" ] && { known=\"${known#\"$line \"}\"; words+=\" ${known%%%% *}\"; }\n"
		     "\tdone <<'END'\n");
	for (size_t i = 0; i < l.count; i++)
		fprintf(out, "%.*s\n", (int)strcspn(l.all[i].method->cli, "{"), l.all[i].method->cli);
	fprintf(out, "END\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\" | sort -u))\n}\ncomplete -F _steadctl steadctl\n");
}
