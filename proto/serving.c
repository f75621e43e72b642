#include "proto/serving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fiber.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "proto/act.h"
#include "proto/field.h"
#include "proto/message.h"
#include "proto/text.h"

#define MAY_ACT_FOR          (ROLE_FRONT | ROLE_STREAM | ROLE_VAULT | ROLE_BOT)
#define DEFAULT_MS           30000  /* for a caller who does not say how long it will wait */
#define MOST_MS              600000 /* for one who would wait longer; proto/message.h says so */

void session_send_refusal(struct session *session, int64_t id, const struct refusal *refusal)
{
	message_write_refusal(conn_begin_output(), id, refusal);
	conn_send_output(session->conn, -1);
}

void session_refuse(struct session *session, int64_t id, enum error_code code, const char *sentence)
{
	struct refusal refusal;

	if (!id)
		return; /* a notification is not answered */
	refusal_set(&refusal, code, NULL, "%s", sentence ? sentence : "");
	session_send_refusal(session, id, &refusal);
}

void session_let_go(struct session *session)
{
	if (session->conn || session->calls || session->streams)
		return;
	LIST_REMOVE(session, link);
	loop_defer(free, session); /* it may have ended in the middle of what it was sending */
}

void serving_free(struct serving *v)
{
	struct session *session = v->session;
	struct server *server = session->server;

	LIST_REMOVE(v, in_session);
	if (v->row->method->streams)
		session->streams--;
	else
		session->calls--;
	server->calls--;
	call_free(v->call);
	free(v);
	if (session->conn && session->calls < CALLS_A_CONNECTION)
		conn_pause(session->conn, false);
	session_let_go(session);
	if (server->calls == 0)
		latch_wake(&server->drained, 0);
}

static int serving_send_result(struct serving *v)
{
	const struct method *method = v->row->method;
	struct bytes *t = conn_begin_output();
	int fd = -1, r = 0;

	message_begin_result(t, v->id);
	if (method->streams)
		bytes_puts(t, "{}");
	else
		r = fields_write(t, method->result(), v->result, &fd, &v->call->refusal);
	if (r < 0) {
		log_error("%s made a result that breaks its own row: %s", method->name, v->call->refusal.message);
		return -EINVAL;
	}
	message_end(t, fd >= 0);
	if (conn_send_output(v->session->conn, fd))
		return 0;
	log_error("the result of %s is longer than a frame may be", method->name);
	return call_refuse(v->call, ERR_too_large, NULL, "The answer is longer than Stead can send; ask for less.");
}

void serving_answer(struct serving *v, int r)
{
	if (v->drained && r < 0)
		r = call_refuse(v->call, ERR_unavailable, NULL, "%s stops; try again in a moment.",
			v->session->server->program);
	if (r == -ECANCELED && (v->cancelled || !v->session->conn))
		return;
	if (r == 0)
		r = serving_send_result(v);
	call_settle(v->call, r);
	if (r < 0)
		session_send_refusal(v->session, v->id, &v->call->refusal);
}

void serving_run(void *arg)
{
	struct serving *v = arg;
	const struct server *server = v->session->server;
	int r;

	v->fiber = fiber_self();
	fiber_set_local(&v->log);
	if (v->cancelled || v->drained)
		fiber_cancel(v->fiber);
	r = server->on_act && act_is(v->call) ? act_ask(v->call, server->on_act, v->params) : 0;
	if (r == 0)
		r = v->row->handler(v->call, v->params, v->result);
	serving_answer(v, r);
	fields_close(v->row->method->params(), v->params);
	if (!v->row->method->streams)
		fields_close(v->row->method->result(), v->result);
	fiber_set_local(NULL);
	serving_free(v);
}

void serving_cancel(struct serving *v)
{
	v->cancelled = true;
	fiber_cancel(v->fiber);
}

static int wait_for_credit(struct serving *v)
{
	if (v->credit > 0)
		return fiber_cancelled() ? -ECANCELED : 0;
	return latch_wait(&v->credited, NEVER);
}

static int serving_send_item(struct call_link *link, struct call *call, const void *item)
{
	struct serving *v = (struct serving *)link;
	int fd, r = wait_for_credit(v);
	struct bytes *t;

	if (r < 0)
		return r;
	t = conn_begin_output();
	message_begin_notification(t, "item");
	bytes_puts(t, "{\"id\":");
	text_whole(t, v->id);
	bytes_puts(t, ",\"item\":");
	r = fields_write(t, v->row->method->result(), item, &fd, &call->refusal);
	if (r < 0) {
		bytes_reset(t, TEXT_KEPT);
		return r;
	}
	bytes_puts(t, "}");
	message_end(t, fd >= 0);
	v->credit--;
	return conn_send_output(v->session->conn, fd) ? 0 : -EMSGSIZE;
}

struct serving *serving_new(struct session *session, const struct dispatch_row *row,
	const struct message *m)
{
	struct serving *v = must(calloc(1, sizeof(*v)));
	int64_t ms = m->ms <= 0 ? DEFAULT_MS : m->ms < MOST_MS ? m->ms : MOST_MS;

	v->link.send_item = serving_send_item;
	v->session = session;
	v->row = row;
	v->id = m->id;
	v->credit = m->credit < MOST_CREDIT ? m->credit : MOST_CREDIT; /* message_read() lets nothing below 0 through */
	v->call = call_new(session->server->daemon, session->role & MAY_ACT_FOR ? &m->acting : NULL,
		row->method->streams ? NEVER : deadline_in(ms));
	v->call->role = session->role;
	v->call->uid = session->uid;
	v->call->method = row->method;
	v->call->link = &v->link;
	v->params = arena_alloc(v->call->arena, row->method->params_size);
	v->result = arena_alloc(v->call->arena, row->method->result_size);
	if (!row->method->streams)
		fields_init(row->method->result(), v->result, row->method->result_size);
	exact_must(v->id_text, sizeof(v->id_text), "%lld", (long long)m->id);
	v->log = (struct log_context){ .connection = session->name,
		.call = v->id_text,
		.method = row->method->name,
		.user = v->call->acting.name };
	LIST_INSERT_HEAD(&session->servings, v, in_session);
	if (row->method->streams)
		session->streams++;
	else
		session->calls++;
	session->server->calls++;
	return v;
}

/* Everything that is decided before the handler: 0, REFUSED or -EBADMSG. */
int serving_admit(struct serving *v, const struct message *m, int *fd)
{
	const struct method *method = v->row->method;
	char none[] = "{}";
	struct raw_json params = m->params_text.p ? m->params_text : (struct raw_json){ none, 2 };
	json_t *kept = NULL;
	int r = 0;

	/* An administrator's call is for nobody: done as somebody it would look like theirs and reach everybody's. */
	if (m->acting.user && v->session->role == ROLE_CONTROL)
		r = call_refuse(v->call, ERR_invalid, "for", "steadctl calls for nobody.");
	if (r == 0)
		r = call_check_scope(v->call, method);
	if (r == 0)
		r = fields_read(v->call->arena, method->params(), params.p, params.n, fd, v->params, &kept, &v->call->refusal);
	if (kept)
		call_keep(v->call, kept);
	return r;
}
