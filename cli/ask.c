#include "cli/ask.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "cli/value.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/loop.h"
#include "common/words.h"
#include "proto/field.h"
#include "proto/json.h"
#include "proto/peer.h"

#define SLOW_S  3

struct asking {
	const char *socket_dir;
	json_t *params;
	struct answer *answers;
	size_t count, left;
	int64_t ms;
};

/* One of them, on its fiber. */
struct question {
	struct asking *asking;
	struct answer *answer;
};

static char *socket_path(const char *dir, const char *daemon)
{
	return exact_new("%s/%s/control", dir, daemon);
}

static bool ask_is_there(const char *dir, const char *daemon)
{
	CLEANUP(freep) char *path = socket_path(dir, daemon);

	return access(path, F_OK) == 0 || errno != ENOENT; /* what may not be looked at says so when it is called */
}

bool ask_finds(const char *socket_dir)
{
	for (const struct method_list *const *list = method_lists(); *list; list++)
		if (ask_is_there(socket_dir, (*list)->daemon))
			return true;
	return false;
}

static int refuse_without_socket(struct call *call, const char *dir, const char *daemon)
{
	call_refuse(call, ERR_unavailable, NULL, "%s", "");
	return call_detail(call, "%s is not running: there is no socket %s/%s/control; why is said by: systemctl status stead-%s", daemon,
		dir, daemon, daemon);
}

/* The row's own words for what is wrong with params. */
static int call_daemon(struct call *call, struct peer *peer, const struct method *m, const json_t *params, json_t **ret)
{
	void *fields = arena_alloc(call->arena, m->params_size);
	json_t *kept = NULL;
	struct raw_json answer;
	int r = fields_decode(call->arena, m->params(), params, NULL, fields, &kept, &call->refusal);

	if (kept)
		call_keep(call, kept);
	if (r < 0)
		return REFUSED;
	r = peer_call_text(peer, call, m, fields, &answer);
	return r == 0 ? json_read(answer.p, answer.n, ret, NULL) : r;
}

static void ask_ask(void *arg)
{
	struct question *q = arg;
	struct asking *a = q->asking;
	const struct command *c = q->answer->command;
	CLEANUP(call_freep) struct call *call = call_new(NULL, NULL, deadline_in(a->ms));
	CLEANUP(freep) char *path = socket_path(a->socket_dir, c->daemon);
	struct peer *peer = peer_new("steadctl", c->daemon, path);
	int r;

	if (!ask_is_there(a->socket_dir, c->daemon))
		r = refuse_without_socket(call, a->socket_dir, c->daemon);
	else
		r = call_daemon(call, peer, c->method, a->params, &q->answer->result);
	if (r < 0 && r != REFUSED)
		call_refuse(call, error_from_errno(r), NULL, "%s", "");
	if (r < 0)
		q->answer->refusal = call->refusal;
	peer_free(peer);
	if (--a->left == 0)
		loop_stop();
}

static void say_slow(evutil_socket_t, short, void *arg)
{
	const struct asking *a = arg;

	for (size_t i = 0; i < a->count; i++)
		if (!a->answers[i].result && a->answers[i].refusal.code == 0 && !*a->answers[i].refusal.message)
			fprintf(stderr, "steadctl: waiting for %s \xe2\x80\xa6\n", a->answers[i].command->daemon);
}

void ask_daemons(const char *socket_dir, const struct command *commands, size_t count, json_t *params, int64_t ms,
	struct answer *ret)
{
	struct asking a = { .socket_dir = socket_dir, .params = params, .answers = ret, .count = count, .left = count, .ms = ms };
	struct question questions[COMMAND_MOST];
	struct event *slow = loop_timer(say_slow, &a);

	loop_arm(slow, SLOW_S * 1000);
	for (size_t i = 0; i < count; i++) {
		ret[i] = (struct answer){ .command = &commands[i] };
		questions[i] = (struct question){ .asking = &a, .answer = &ret[i] };
		fiber_start("call", ask_ask, &questions[i], NULL);
	}
	loop_run();
	event_free(slow);
}

/* Whether it is a sentence of its own, or begins with the field's own name: "limit must be ..." of steps[2].limit. */
static bool names_field(const char *message, const char *field)
{
	const char *dot = strrchr(field, '.');
	size_t n = strlen(dot ? dot + 1 : field);

	if (isupper((unsigned char)*message))
		return true;
	return strncmp(message, dot ? dot + 1 : field, n) == 0 && message[n] == ' ';
}

char *ask_cause(const struct refusal *refusal)
{
	CLEANUP(freep) char *field = value_plain(refusal->field);
	CLEANUP(freep) char *why = value_plain(refusal_cause(refusal));

	if (!*field || names_field(why, field))
		return TAKE(why);
	return exact_new("%s: %s", field, why);
}
