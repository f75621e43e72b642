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

/* What callers need not see. */
struct call_whole {
	struct call call;
	struct call_link *link;
	struct kept *kept;
};

static struct call_whole *whole(struct call *call)
{
	return (struct call_whole *)call;
}

static uid_t own_uid(void)
{
	static uid_t uid = (uid_t)-1; /* a daemon changes it before its first call, if at all */

	if (uid == (uid_t)-1)
		uid = getuid();
	return uid;
}

struct call *call_new(void *daemon, const struct acting *acting, int64_t deadline)
{
	struct call_whole *w = must(calloc(1, sizeof(*w)));

	w->call.arena = arena_new_secret(0);
	w->call.daemon = daemon;
	w->call.deadline = deadline;
	w->call.uid = own_uid();
	if (acting) {
		w->call.acting = *acting;
		w->call.acting.name = arena_strdup(w->call.arena, acting->name);
		w->call.acting.login = arena_strdup(w->call.arena, acting->login);
		w->call.acting.ip = arena_strdup(w->call.arena, acting->ip);
	}
	return &w->call;
}

struct call *call_free(struct call *call)
{
	if (!call)
		return NULL;
	for (struct kept *k = whole(call)->kept; k; k = k->next) {
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
	char message[sizeof(call->refusal.message)];
	va_list args;

	va_start(args, format);
	words_set_v(message, sizeof(message), format, args);
	va_end(args);
	if (*message)
		refusal_set(&call->refusal, code, field, "%s", message);
	else
		refusal_set(&call->refusal, code, field, "%s", error_row(code)->sentence);
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
	k->next = whole(call)->kept;
	whole(call)->kept = k;
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

void call_set_link(struct call *call, struct call_link *link)
{
	whole(call)->link = link;
}

int call_send_item(struct call *call, const void *item)
{
	struct call_link *link = whole(call)->link;

	return link ? link->send_item(link, call, item) : -ENOTSUP;
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
	refusal_set(&call->refusal, code, NULL, "%s", error_row(code)->sentence);
}
