#include "proto/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/words.h"
#include "proto/json.h"
#include "proto/text.h"

static int bad(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EBADMSG;
}

/* What one reading of an envelope has met. */
struct reading {
	struct scan s;
	struct message m;
	bool has_version;
	unsigned seen; /* a member's bit */
};

static bool wrong(struct reading *r, const char *why)
{
	if (!r->s.why)
		r->s.why = why;
	return false;
}

/* A whole number from least on. */
static bool read_count(struct reading *r, int64_t least, int64_t *ret, const char *why)
{
	struct scan_number n;
	char c = scan_peek(&r->s);

	if (c < '0' || c > '9' || !scan_number(&r->s, &n) || n.real || n.whole < least)
		return wrong(r, why);
	*ret = n.whole;
	return true;
}

static bool read_flag(struct reading *r, bool *ret, const char *why)
{
	char c = scan_peek(&r->s);

	return (c == 't' || c == 'f') ? scan_flag(&r->s, ret) : wrong(r, why);
}

static bool message_read_object(struct reading *r, struct raw_json *ret, const char *why)
{
	return scan_peek(&r->s) == '{' ? scan_skip(&r->s, ret) : wrong(r, why);
}

static bool message_read_text(struct reading *r, const char **ret, const char *why)
{
	return scan_peek(&r->s) == '"' ? scan_text(&r->s, (char **)ret) : wrong(r, why);
}

/* Hands each member of an object over, at its value. */
static bool read_members_of(struct reading *r, bool (*member)(struct reading *r, const char *name, void *arg), void *arg,
	const char *why)
{
	char *name;

	if (scan_peek(&r->s) != '{')
		return wrong(r, why);
	scan_open(&r->s, '{');
	while (scan_more(&r->s, '}'))
		if (!scan_name(&r->s, &name) || !member(r, name, arg))
			return false;
	return !r->s.why;
}

static bool read_version(struct reading *r)
{
	static const char why[] = "The message does not say \"jsonrpc\":\"2.0\".";
	const char *version;

	if (!message_read_text(r, &version, why))
		return false;
	r->has_version = strcmp(version, "2.0") == 0;
	return r->has_version || wrong(r, why);
}

static bool read_id(struct reading *r)
{
	if (scan_peek(&r->s) == 'n')
		return scan_skip(&r->s, NULL);
	return read_count(r, 1, &r->m.id, "The id of the message is not a whole number above 0.");
}

/* Which of the names it is, each of which may stand once; -1 after saying why not. */
static int member_number(struct reading *r, const char *name, const char *const *names, unsigned *seen, const char *unknown)
{
	for (int i = 0; names[i]; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		if (*seen & 1u << i)
			r->s.why = "The same name stands twice in one object.";
		*seen |= 1u << i;
		return r->s.why ? -1 : i;
	}
	r->s.why = unknown;
	return -1;
}

static const char acting_why[] = "The message does not say properly for whom it is.";

/* Short and without control characters, for it goes into the log. */
static bool read_label(struct reading *r, const char **ret)
{
	if (!message_read_text(r, ret, acting_why))
		return false;
	if (strlen(*ret) > ACTING_TEXT)
		return wrong(r, acting_why);
	for (const char *c = *ret; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return wrong(r, acting_why);
	return true;
}

static bool read_scopes(struct reading *r, unsigned *ret)
{
	const char *words;

	if (!read_label(r, &words))
		return false;
	*ret = scopes_read(words);
	return true;
}

static bool read_acting_member(struct reading *r, const char *name, void *seen)
{
	static const char *const names[] = { "user", "name", "login", "ip", "scopes", NULL };
	struct acting *a = &r->m.acting;

	switch (member_number(r, name, names, seen, acting_why)) {
	case 0: return read_count(r, 0, &a->user, acting_why);
	case 1: return read_label(r, &a->name);
	case 2: return read_label(r, &a->login);
	case 3: return read_label(r, &a->ip);
	case 4: return read_scopes(r, &a->scopes);
	default: return false;
	}
}

static bool read_acting(struct reading *r)
{
	unsigned seen = 0;

	return read_members_of(r, read_acting_member, &seen, acting_why);
}

/* Of an error and its data only these members matter; a newer peer may say more. */
struct error_data {
	const char *message, *name, *field, *detail;
	int64_t retry_ms;
};

/* One that is nothing of the kind is passed over. */
static bool read_retry(struct reading *r, struct error_data *data)
{
	struct scan_number n;
	char c = scan_peek(&r->s);

	if (c < '0' || c > '9')
		return scan_skip(&r->s, NULL);
	if (!scan_number(&r->s, &n))
		return false;
	if (!n.real && n.whole <= MOST_RETRY_MS)
		data->retry_ms = n.whole;
	return true;
}

static bool read_data_member(struct reading *r, const char *key, void *arg)
{
	struct error_data *data = arg;
	const char **to = strcmp(key, "name") == 0 ? &data->name : strcmp(key, "field") == 0 ? &data->field :
		strcmp(key, "detail") == 0 ? &data->detail : NULL;

	if (strcmp(key, "retry_ms") == 0)
		return read_retry(r, data);
	return to && scan_peek(&r->s) == '"' ? message_read_text(r, to, "") : scan_skip(&r->s, NULL);
}

static bool read_error_member(struct reading *r, const char *key, void *arg)
{
	struct error_data *data = arg;
	char c = scan_peek(&r->s);

	if (c == '"' && strcmp(key, "message") == 0)
		return message_read_text(r, &data->message, "");
	if (c == '{' && strcmp(key, "data") == 0)
		return read_members_of(r, read_data_member, data, "");
	return scan_skip(&r->s, NULL);
}

static bool read_error(struct reading *r)
{
	struct error_data data = { 0 };

	if (!read_members_of(r, read_error_member, &data, "The error of the message is not an object."))
		return false;
	r->m.refused = true;
	refusal_set(&r->m.refusal, error_by_name(data.name), data.field, "%s", data.message ? data.message : "");
	words_set(r->m.refusal.detail, sizeof(r->m.refusal.detail), "%s", data.detail ? data.detail : "");
	r->m.refusal.retry_ms = data.retry_ms;
	return true;
}

static bool read_member(struct reading *r, const char *name, void *)
{
	static const char *const names[] = { "jsonrpc", "id", "method", "params", "result", "error", "for", "ms", "credit",
		"fd", NULL };
	static const char counts[] = "The ms and the credit of a message are whole numbers from 0.";

	switch (member_number(r, name, names, &r->seen, "The message has a member that the protocol does not know.")) {
	case 0: return read_version(r);
	case 1: return read_id(r);
	case 2: return message_read_text(r, &r->m.method, "The method of the message is not a text.");
	case 3: return message_read_object(r, &r->m.params_text, "The params of the message are not an object.");
	case 4: return message_read_object(r, &r->m.result_text, "The result of the message is not an object.");
	case 5: return read_error(r);
	case 6: return read_acting(r);
	case 7: return read_count(r, 0, &r->m.ms, counts);
	case 8: return read_count(r, 0, &r->m.credit, counts);
	case 9: return read_flag(r, &r->m.fd, "The fd of a message is true or false.");
	default: return false;
	}
}

static bool message_read_envelope(struct reading *r)
{
	static const char why[] = "The text is not one JSON object.";

	if (scan_peek(&r->s) != '{')
		return scan_skip(&r->s, NULL) && wrong(r, why);
	if (!read_members_of(r, read_member, NULL, why) || !scan_end(&r->s))
		return false;
	if (!r->has_version)
		return wrong(r, "The message does not say \"jsonrpc\":\"2.0\".");
	r->m.response = !r->m.method;
	if (r->m.response && !r->m.refused && !r->m.result_text.p)
		return wrong(r, "The message has neither a method nor a result nor an error.");
	return true;
}

int message_scan(char *text, size_t n, struct message *ret, const char **ret_why)
{
	struct reading r = { .s = scan_begin(text, n) };

	if (!message_read_envelope(&r))
		return bad(ret_why, r.s.why);
	*ret = r.m;
	return 0;
}

static const char engine_why[] = "The params of the message are not what the protocol says.";

static bool read_engine_member(struct reading *r, const char *name, void *arg)
{
	struct engine_params *e = arg;

	if (strcmp(name, "id") == 0)
		return read_count(r, 0, &e->id, engine_why);
	if (strcmp(name, "n") == 0)
		return read_count(r, 0, &e->n, engine_why);
	if (strcmp(name, "version") == 0)
		return read_count(r, 0, &e->version, engine_why);
	if (strcmp(name, "item") == 0)
		return message_read_object(r, &e->item, engine_why);
	return scan_skip(&r->s, NULL);
}

int message_scan_engine(struct raw_json params, struct engine_params *ret, const char **ret_why)
{
	struct reading r = { .s = scan_begin(params.p, params.n) };
	struct engine_params e = { 0 };

	if (params.p && !read_members_of(&r, read_engine_member, &e, engine_why))
		return bad(ret_why, r.s.why);
	*ret = e;
	return 0;
}

static void put_label(struct bytes *t, const char *name, const char *value)
{
	if (!value)
		return;
	bytes_puts(t, name);
	if (!text_string(t, value, strlen(value)))
		abort(); /* ours: it was read from a text that was checked */
}

static void put_count(struct bytes *t, const char *name, int64_t n)
{
	bytes_puts(t, name);
	text_whole(t, n);
}

static void put_acting(struct bytes *t, const struct acting *a)
{
	char scopes[SCOPES_TEXT];

	scopes_write(a->scopes, scopes, sizeof(scopes));
	put_count(t, ",\"for\":{\"user\":", a->user);
	put_label(t, ",\"name\":", a->name);
	put_label(t, ",\"login\":", a->login);
	put_label(t, ",\"ip\":", a->ip);
	put_label(t, ",\"scopes\":", *scopes ? scopes : NULL);
	bytes_puts(t, "}");
}

#define VERSION "{\"jsonrpc\":\"2.0\""

void message_begin_request(struct bytes *t, int64_t id, const char *method, const struct acting *acting, int64_t ms,
	int64_t credit)
{
	put_count(t, VERSION ",\"id\":", id);
	put_label(t, ",\"method\":", method);
	if (acting && acting->user)
		put_acting(t, acting);
	if (ms > 0)
		put_count(t, ",\"ms\":", ms);
	if (credit > 0)
		put_count(t, ",\"credit\":", credit);
	bytes_puts(t, ",\"params\":");
}

void message_begin_notification(struct bytes *t, const char *method)
{
	put_label(t, VERSION ",\"method\":", method);
	bytes_puts(t, ",\"params\":");
}

void message_begin_result(struct bytes *t, int64_t id)
{
	put_count(t, VERSION ",\"id\":", id);
	bytes_puts(t, ",\"result\":");
}

void message_end(struct bytes *t, bool fd)
{
	bytes_puts(t, fd ? ",\"fd\":true}" : "}");
}

void message_end_hello(struct bytes *t, const char *program)
{
	put_count(t, "{\"version\":", PROTOCOL_VERSION);
	put_label(t, ",\"program\":", program);
	bytes_puts(t, "}");
	message_end(t, false);
}

void message_write_refusal(struct bytes *t, int64_t id, const struct refusal *refusal)
{
	const struct error_row *row = error_row(refusal->code);

	if (id)
		put_count(t, VERSION ",\"id\":", id);
	else
		bytes_puts(t, VERSION ",\"id\":null");
	put_count(t, ",\"error\":{\"code\":", row->rpc);
	put_label(t, ",\"message\":", refusal->message);
	put_label(t, ",\"data\":{\"name\":", row->name);
	put_label(t, ",\"field\":", refusal->field[0] ? refusal->field : NULL);
	put_label(t, ",\"detail\":", refusal->detail[0] ? refusal->detail : NULL);
	if (refusal->retry_ms > 0)
		put_count(t, ",\"retry_ms\":", refusal->retry_ms);
	bytes_puts(t, "}}}");
}
