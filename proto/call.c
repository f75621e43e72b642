#include "proto/call.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/must.h"
#include "common/words.h"
#include "proto/json.h"

static_assert(REFUSED == -EREMOTEIO, "REFUSED is an errno that nothing else here returns");

struct kept {
	struct kept *next;
	json_t *document;
	char *text;
	size_t length;
	int fd;
};

struct call *call_new(void *daemon, const struct acting *acting, int64_t deadline)
{
	struct call *call = must(calloc(1, sizeof(*call)));

	*call = (struct call){ .arena = arena_new_secret(0), .daemon = daemon, .deadline = deadline, .uid = getuid() };
	if (acting) {
		call->acting = *acting;
		call->acting.name = arena_strdup(call->arena, acting->name);
		call->acting.login = arena_strdup(call->arena, acting->login);
		call->acting.ip = arena_strdup(call->arena, acting->ip);
	}
	return call;
}

struct call *call_free(struct call *call)
{
	if (!call)
		return NULL;
	for (struct kept *k = call->kept; k; k = k->next) {
		json_decref(k->document);
		json_text_free(k->text, k->length);
		if (k->fd >= 0)
			close(k->fd);
	}
	arena_free(call->arena);
	free(call);
	return NULL;
}

void call_freep(struct call **call)
{
	*call = call_free(*call);
}

int call_refuse(struct call *call, enum error_code code, const char *field, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	refusal_set_v(&call->refusal, code, field, format, args);
	va_end(args);
	return REFUSED;
}

int call_retry_in(struct call *call, int64_t ms)
{
	call->refusal.retry_ms = ms > MOST_RETRY_MS ? MOST_RETRY_MS : ms > 0 ? ms : 0;
	return REFUSED;
}

const char *call_cause(struct call *call, int r)
{
	return r == REFUSED ? refusal_cause(&call->refusal) : call_why(call, r);
}

const char *call_why(struct call *call, int r)
{
	if (r == REFUSED)
		return call->refusal.message;
	return error_row(error_from_errno(r))->sentence;
}

static struct kept *keep(struct call *call)
{
	struct kept *k = arena_alloc(call->arena, sizeof(*k));

	k->fd = -1;
	k->next = call->kept;
	call->kept = k;
	return k;
}

void call_keep(struct call *call, json_t *document)
{
	keep(call)->document = document;
}

void call_keep_text(struct call *call, char *text, size_t length)
{
	struct kept *k = keep(call);

	k->text = text;
	k->length = length;
}

void call_keep_fd(struct call *call, int fd)
{
	keep(call)->fd = fd;
}

int call_send_item(struct call *call, const void *item)
{
	return call->link ? call->link->send_item(call->link, call, item) : -ENOTSUP;
}

int call_check_scope(struct call *call, const struct method *method)
{
	/* Who may connect to the control socket administers Stead; the socket's mode decides that. */
	if (method->scope == SCOPE_ANYONE || call->role == ROLE_CONTROL)
		return 0;
	if (!call->acting.user)
		return call_refuse(call, ERR_not_signed_in, NULL, "%s", "");
	if (!(call->acting.scopes & method->scope))
		return call_refuse(call, ERR_forbidden, NULL, "%s", "");
	return 0;
}

void call_settle(struct call *call, int r)
{
	if (r == 0 || r == REFUSED)
		return;
	enum error_code code = error_from_errno(r);
	if (code == ERR_internal)
		log_error("%s failed: %s", call->method ? call->method->name : "a call", strerror(-r));
	refusal_set(&call->refusal, code, NULL, "%s", "");
}
