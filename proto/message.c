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
	bool has_version, has_error;
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

static bool message_read_text(struct reading *r, const char **ret, size_t *ret_length, const char *why)
{
	char *text;

	if (scan_peek(&r->s) != '"')
		return wrong(r, why);
	if (!scan_text(&r->s, &text, ret_length))
		return false;
	*ret = text;
	return true;
}

static bool read_version(struct reading *r)
{
	static const char why[] = "The message does not say \"jsonrpc\":\"2.0\".";
	const char *version;
	size_t n;

	if (!message_read_text(r, &version, &n, why))
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

/* Finds a name among those that may stand once each; -1 after saying why not. */
static int member(struct scan *s, const char *const *names, unsigned *seen, const char *unknown)
{
	char *name;
	size_t n;

	if (!scan_name(s, &name, &n))
		return -1;
	for (int i = 0; names[i]; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		if (*seen & 1u << i) {
			s->why = "The same name stands twice in one object.";
			return -1;
		}
		*seen |= 1u << i;
		return i;
	}
	s->why = unknown;
	return -1;
}

static const char acting_why[] = "The message does not say properly for whom it is.";

/* Short and without control characters, for it goes into the log. */
static bool read_label(struct reading *r, const char **ret)
{
	size_t n;

	if (!message_read_text(r, ret, &n, acting_why))
		return false;
	if (n > ACTING_TEXT)
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

static bool read_acting(struct reading *r)
{
	static const char *const names[] = { "user", "name", "login", "ip", "scopes", NULL };
	struct acting *a = &r->m.acting;
	bool first = true, ok = true;
	unsigned seen = 0;

	if (scan_peek(&r->s) != '{')
		return wrong(r, acting_why);
	scan_open(&r->s, '{');
	while (ok && scan_more(&r->s, '}', &first)) {
		switch (member(&r->s, names, &seen, acting_why)) {
		case 0: ok = read_count(r, 0, &a->user, acting_why); break;
		case 1: ok = read_label(r, &a->name); break;
		case 2: ok = read_label(r, &a->login); break;
		case 3: ok = read_label(r, &a->ip); break;
		case 4: ok = read_scopes(r, &a->scopes); break;
		default: return false;
		}
	}
	return !r->s.why;
}

/* Of data only these members matter; a newer peer may say more. */
struct error_data {
	const char *name, *field, *detail;
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

static bool read_error_data(struct reading *r, struct error_data *data)
{
	bool first = true;
	char *key;
	size_t n;

	if (scan_peek(&r->s) != '{')
		return scan_skip(&r->s, NULL);
	scan_open(&r->s, '{');
	while (scan_more(&r->s, '}', &first)) {
		if (!scan_name(&r->s, &key, &n))
			return false;
		const char **to = strcmp(key, "name") == 0 ? &data->name : strcmp(key, "field") == 0 ? &data->field :
			strcmp(key, "detail") == 0 ? &data->detail : NULL;
		bool ok = to && scan_peek(&r->s) == '"' ? message_read_text(r, to, &n, "") :
			strcmp(key, "retry_ms") == 0 ? read_retry(r, data) : scan_skip(&r->s, NULL);
		if (!ok)
			return false;
	}
	return !r->s.why;
}

static bool read_error(struct reading *r)
{
	struct error_data data = { 0 };
	const char *message = NULL;
	bool first = true, ok = true;
	char *key;
	size_t n;

	if (scan_peek(&r->s) != '{')
		return wrong(r, "The error of the message is not an object.");
	scan_open(&r->s, '{');
	while (ok && scan_more(&r->s, '}', &first)) {
		if (!scan_name(&r->s, &key, &n))
			return false;
		if (strcmp(key, "message") == 0 && scan_peek(&r->s) == '"')
			ok = message_read_text(r, &message, &n, "");
		else if (strcmp(key, "data") == 0)
			ok = read_error_data(r, &data);
		else
			ok = scan_skip(&r->s, NULL);
	}
	if (r->s.why)
		return false;
	r->m.refused = r->has_error = true;
	refusal_set(&r->m.refusal, error_by_name(data.name), data.field, "%s", message ? message : "");
	words_set(r->m.refusal.detail, sizeof(r->m.refusal.detail), "%s", data.detail ? data.detail : "");
	r->m.refusal.retry_ms = data.retry_ms;
	return true;
}

static bool read_member(struct reading *r)
{
	static const char *const names[] = { "jsonrpc", "id", "method", "params", "result", "error", "for", "ms", "credit",
		"fd", NULL };
	static const char counts[] = "The ms and the credit of a message are whole numbers from 0.";
	size_t n;

	switch (member(&r->s, names, &r->seen, "The message has a member that the protocol does not know.")) {
	case 0: return read_version(r);
	case 1: return read_id(r);
	case 2: return message_read_text(r, &r->m.method, &n, "The method of the message is not a text.");
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
	bool first = true;

	if (scan_peek(&r->s) != '{')
		return scan_skip(&r->s, NULL) ? wrong(r, "The text is not one JSON object.") : false;
	scan_open(&r->s, '{');
	while (scan_more(&r->s, '}', &first))
		if (!read_member(r))
			return false;
	if (!scan_end(&r->s))
		return false;
	if (!r->has_version)
		return wrong(r, "The message does not say \"jsonrpc\":\"2.0\".");
	r->m.response = !r->m.method;
	if (r->m.response && !r->has_error && !r->m.result_text.p)
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

static bool read_engine_member(struct reading *r, struct engine_params *e)
{
	static const char why[] = "The params of the message are not what the protocol says.";
	char *name;
	size_t n;

	if (!scan_name(&r->s, &name, &n))
		return false;
	if (strcmp(name, "id") == 0)
		return read_count(r, 0, &e->id, why);
	if (strcmp(name, "n") == 0)
		return read_count(r, 0, &e->n, why);
	if (strcmp(name, "version") == 0)
		return read_count(r, 0, &e->version, why);
	if (strcmp(name, "item") == 0)
		return message_read_object(r, &e->item, why);
	return scan_skip(&r->s, NULL);
}

int message_scan_engine(struct raw_json params, struct engine_params *ret, const char **ret_why)
{
	struct reading r = { .s = scan_begin(params.p, params.n) };
	struct engine_params e = { 0 };
	bool first = true;

	if (params.p && scan_open(&r.s, '{'))
		while (scan_more(&r.s, '}', &first))
			if (!read_engine_member(&r, &e))
				break;
	if (r.s.why)
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
