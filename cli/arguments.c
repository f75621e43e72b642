#include "cli/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/prompt.h"
#include "common/cleanup.h"
#include "common/must.h"
#include "common/nearest.h"
#include "common/words.h"

/* A command line being taken apart. */
struct parsing {
	const struct method *method;
	json_t *params;
	const char *rest; /* of the template: positional fields to come */
};

static const struct field *parameter_named(const struct method *m, const char *name, size_t n)
{
	for (const struct field *f = m->params(); f->kind != FIELD_END; f++)
		if (f->name && strlen(f->name) == n && strncmp(f->name, name, n) == 0)
			return f;
	return NULL;
}

static bool arguments_set_number(struct parsing *p, const struct field *f, const char *value)
{
	char *end;

	errno = 0;
	long long n = strtoll(value, &end, 10);
	if (errno || end == value || *end) {
		fprintf(stderr, "steadctl: %s must be a whole number, not \"%s\"\n", f->name, value);
		return false;
	}
	json_object_set_new(p->params, f->name, json_integer(n));
	return true;
}

static bool set_flag(struct parsing *p, const struct field *f, const char *value)
{
	bool yes = strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;

	if (!yes && strcmp(value, "no") != 0 && strcmp(value, "false") != 0) {
		fprintf(stderr, "steadctl: %s must be yes or no, not \"%s\"\n", f->name, value);
		return false;
	}
	json_object_set_new(p->params, f->name, json_boolean(yes));
	return true;
}

static bool set_value(struct parsing *p, const struct field *f, const char *value)
{
	json_t *text;

	if (f->kind == FIELD_INT)
		return arguments_set_number(p, f, value);
	if (f->kind == FIELD_BOOL)
		return set_flag(p, f, value);
	if (f->kind == FIELD_SECRET) {
		fprintf(stderr, "steadctl: --%s is not taken from the command line, where others could read it; leave it out and it is asked for, or comes from standard input\n",
			f->name);
		return false;
	}
	text = json_string(value);
	if (!text) {
		fprintf(stderr, "steadctl: %s is not valid UTF-8\n", f->name);
		return false;
	}
	json_object_set_new(p->params, f->name, text);
	return true;
}

static bool take_positional(struct parsing *p, const char *value)
{
	const char *open = strchr(p->rest, '{'), *close = open ? strchr(open, '}') : NULL;

	if (!close) {
		fprintf(stderr, "steadctl: does not know what to do with \"%s\"; see --help\n", value);
		return false;
	}
	p->rest = close + 1;
	return set_value(p, parameter_named(p->method, open + 1, (size_t)(close - open - 1)), value);
}

static bool refuse_option(const struct parsing *p, const char *name, size_t n)
{
	static const char *const general[] = { "json", "wide", "help", NULL };
	CLEANUP(freep) char *alone = strndup(name, n);
	struct nearest near = nearest_to(alone ? alone : "");

	for (const struct field *f = p->method->params(); f->kind != FIELD_END; f++)
		if (f->name)
			nearest_consider(&near, f->name);
	for (size_t i = 0; general[i]; i++)
		nearest_consider(&near, general[i]);
	fprintf(stderr, "steadctl: there is no option --%s here; ", BRIEF(80, name)); /* with its value, if it has one */
	if (near.name)
		fprintf(stderr, "did you mean --%s? ", near.name);
	fprintf(stderr, "see --help\n");
	return false;
}

/* --name, --name VALUE or --name=VALUE; *i is moved past a value that it took. */
static bool take_option(struct parsing *p, int argc, char *const argv[], int *i)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct field *f = parameter_named(p->method, name, n);

	if (!f)
		return refuse_option(p, name, n);
	if (f->kind == FIELD_BOOL && !equals) {
		json_object_set_new(p->params, f->name, json_true());
		return true;
	}
	if (!equals && *i + 1 == argc) {
		fprintf(stderr, "steadctl: --%s needs a value\n", f->name);
		return false;
	}
	return set_value(p, f, equals ? equals + 1 : argv[++*i]);
}

/* Before anything is asked for or sent: what must be there is there. */
static bool arguments_check_required(struct parsing *p)
{
	bool optional = false;

	for (const struct field *f = p->method->params(); f->kind != FIELD_END; f++) {
		if (!f->name) {
			optional = true;
			continue;
		}
		if (!optional && f->kind != FIELD_SECRET && !json_object_get(p->params, f->name)) {
			fprintf(stderr, "steadctl: %s%s is missing: %s\n", command_has_place(p->method, f->name) ? "" : "--", f->name,
				f->sentence);
			return false;
		}
		optional = false;
	}
	return true;
}

static bool ask_secrets(struct parsing *p)
{
	for (const struct field *f = p->method->params(); f->kind != FIELD_END; f++) {
		char *secret;
		if (f->kind != FIELD_SECRET)
			continue;
		secret = prompt_secret(f->name);
		if (!secret)
			return false;
		json_object_set_new(p->params, f->name, json_string(secret));
		explicit_bzero(secret, strlen(secret));
		free(secret);
	}
	return true;
}

bool arguments_wish(const char *argument, struct wish *w)
{
	if (strcmp(argument, "--json") == 0)
		w->json = true;
	else if (strcmp(argument, "--wide") == 0)
		w->wide = true;
	else if (strcmp(argument, "--quiet") == 0)
		w->quiet = true;
	else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
		w->help = true;
	else
		return false;
	return true;
}

static bool take_all(struct parsing *p, int argc, char *const argv[], struct wish *w)
{
	for (int i = 0; i < argc; i++) {
		bool option = strncmp(argv[i], "--", 2) == 0;
		if (arguments_wish(argv[i], w))
			continue;
		if (!(option ? take_option(p, argc, argv, &i) : take_positional(p, argv[i])))
			return false;
	}
	return w->help || (arguments_check_required(p) && ask_secrets(p));
}

json_t *arguments_parse(const struct command *c, int argc, char *const argv[], struct wish *ret_wish)
{
	struct parsing p = { .method = c->method, .params = must(json_object()), .rest = c->method->cli };

	if (take_all(&p, argc, argv, ret_wish))
		return p.params;
	json_decref(p.params);
	return NULL;
}
