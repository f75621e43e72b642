#include "proto/act.h"

#include <errno.h>

#include "common/words.h"
#include "proto/server.h"

bool act_is(const struct call *call)
{
	return call->role == ROLE_CONTROL && !method_reads(call->method);
}

static void act_add_parameter(char *what, const struct field *f, const void *p)
{
	const char *text = f->kind == FIELD_STR || f->kind == FIELD_ENUM ? *(const char *const *)p : NULL;

	if (text)
		words_add(what, SERVER_ACT + 1, " %s=%s", f->name, text);
	else if (f->kind == FIELD_INT)
		words_add(what, SERVER_ACT + 1, " %s=%lld", f->name, (long long)*(const int64_t *)p);
	else if (f->kind == FIELD_BOOL && *(const bool *)p)
		words_add(what, SERVER_ACT + 1, " %s", f->name);
}

static const char *audit_words(struct call *call, const void *params)
{
	char *what = arena_alloc(call->arena, SERVER_ACT + 1);

	words_set(what, SERVER_ACT + 1, "%s", call->method->name);
	for (const struct field *f = call->method->params(); f->kind != FIELD_END; f++)
		act_add_parameter(what, f, (const char *)params + f->offset);
	return what;
}

int act_ask(struct call *call, int (*write_down)(struct call *call, const char *what), const void *params)
{
	int r = write_down(call, audit_words(call, params));
	enum error_code code;

	if (r == 0 || r == -ECANCELED)
		return r;
	code = r == REFUSED ? call->refusal.code : error_from_errno(r);
	if (code == ERR_maybe_done || code == ERR_timed_out) /* its row may stand; what it tells of was not done */
		code = ERR_unavailable;
	return call_refuse(call, code, NULL, "It could not be written down, so it was not done; try again in a moment.");
}
