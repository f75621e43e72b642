#include "streamd/session/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/cleanup.h"
#include "common/loop.h"
#include "common/utf.h"
#include "common/words.h"
#include "proto/json.h"
#include "recipe/pattern.h"
#include "recipe/pointer.h"
#include "streamd/browser/element.h"
#include "streamd/browser/frame_path.h"
#include "streamd/browser/page.h"
#include "streamd/browser/pages.h"

#define READ_MS   4000 /* for a page, beyond what its look was given, before it counts as hung */
#define MOST_TEXT (256u << 10) /* of what holds the name */

struct naming {
	struct target_ref page;
	const struct recipe_account_source *source;
	struct arena *arena;
	int64_t deadline;
	char *lack;
};

static const char *account_lacks(struct naming *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

static const char *account_lacks(struct naming *n, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	words_set_v(n->lack, ACCOUNT_LACK, format, args);
	va_end(args);
	return NULL;
}

static int read_element_text(struct naming *n, const char **ret)
{
	const struct wish wish = { .at = n->source->at, .attribute = n->source->attribute };
	struct element e;
	int r = element_wait(n->page, &wish, 1, 0, n->arena, &e);

	*ret = r == 0 && !e.late && !e.moved ? e.text :
		account_lacks(n, "the element that names the account (account.at) is not there");
	return r;
}

/* The first frame of that origin, the page's own before others. */
static int find_storage(struct naming *n, const char *origin, const struct frame_info **ret)
{
	struct frame_info *frames;
	size_t count;
	int r = page_frames(n->page, n->arena, n->deadline, &frames, &count);

	*ret = NULL;
	for (size_t i = 0; r == 0 && i < count && !*ret; i++)
		if (frames[i].origin && strcmp(frames[i].origin, origin) == 0)
			*ret = &frames[i];
	return r;
}

static int read_item(struct naming *n, bool session, const struct recipe_item *item, const char **ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	const char *area = session ? "sessionStorage" : "localStorage";
	const struct frame_info *f;
	int r = find_storage(n, item->origin, &f);

	if (r < 0 || !f) {
		*ret = account_lacks(n, "no page or frame of %s is there, whose %s is meant", item->origin, area);
		return r;
	}
	r = frame_call(f->target, f->id, page_storage_item, n->deadline, &reply, CDP_BOOL("session", session),
		CDP_TEXT("key", item->key));
	*ret = r < 0 ? NULL : cbor_text_utf8(n->arena, frame_value(&reply));
	if (!*ret)
		account_lacks(n, "%s has no %s of %s", area, item->key, item->origin);
	return r;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As most sites write what a cookie cannot hold, and without the quotation marks that some put around it. */
static const char *plain_value(struct arena *arena, const char *value)
{
	char *out = arena_strdup(arena, value);
	size_t n = 0;

	for (const char *c = value; *c; c++) {
		int high = *c == '%' ? hex(c[1]) : -1, low = high >= 0 ? hex(c[2]) : -1;
		bool escaped = low >= 0 && high + low > 0;

		out[n++] = escaped ? (char)(high << 4 | low) : *c;
		c += escaped ? 2 : 0;
	}
	out[n] = '\0';
	if (!utf8_valid(out, n))
		return value;
	if (n > 1 && out[0] == '"' && out[n - 1] == '"') {
		out[n - 1] = '\0';
		out++;
	}
	return out;
}

static bool is_cookie(struct arena *arena, const struct cbor *c, const struct recipe_cookie *meant)
{
	const char *domain = cbor_get_utf8(arena, c, "domain");

	return cbor_text_is(cbor_get(c, "name"), meant->name) && domain &&
		(!meant->host || host_match(meant->host, domain + (*domain == '.')));
}

/* Of those that the page and its frames send: another context's are none of theirs. */
static int read_cookie(struct naming *n, const char **ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	const struct recipe_cookie *meant = n->source->cookie;
	int r = target_call(n->page, "Network.getCookies", n->deadline, &reply);

	*ret = account_lacks(n, "the page has no cookie %s", meant->name);
	if (r < 0)
		return r;
	for (const struct cbor *c = cbor_first(cbor_get(reply.result, "cookies")); c && !*ret; c = cbor_next(c)) {
		const char *value = is_cookie(n->arena, c, meant) ? cbor_get_utf8(n->arena, c, "value") : NULL;
		if (value)
			*ret = plain_value(n->arena, value);
	}
	return 0;
}

/* It may be on its way yet, which Chromium tells as an error. */
static int read_answer(struct naming *n, const struct account_answer *a, const char **ret)
{
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	int r;

	*ret = account_lacks(n, "the page has not asked for %s", n->source->answer);
	if (!a || !*a->request)
		return 0;
	r = cdp_call(browser_cdp(n->page.browser), a->session, "Network.getResponseBody", n->deadline, &reply,
		CDP_TEXT("requestId", a->request));
	if (r == 0 && !cbor_get_bool(reply.result, "base64Encoded", false))
		*ret = cbor_get_utf8(n->arena, reply.result, "body");
	if (!*ret)
		account_lacks(n, "what %s was answered is no text, or has not come whole", n->source->answer);
	return r;
}

static int read_source(struct naming *n, const struct account_answer *a, const char **ret)
{
	const struct recipe_account_source *s = n->source;

	if (s->at)
		return read_element_text(n, ret);
	if (s->local_storage)
		return read_item(n, false, s->local_storage, ret);
	if (s->session_storage)
		return read_item(n, true, s->session_storage, ret);
	if (s->cookie)
		return read_cookie(n, ret);
	if (s->answer)
		return read_answer(n, a, ret);
	*ret = s->is;
	return 0;
}

/* Of what a site says of itself: as deep, and as long, as our own messages may be. */
static json_t *read_json(const char *text, size_t size)
{
	json_t *document;
	const char *why;

	return size && size <= MOST_TEXT && json_read_any(text, size, &document, &why) == 0 ? document : NULL;
}

/* What stands there, as the recipe's pattern will have it; NULL: neither text nor number. */
static const char *value_text(struct arena *arena, const json_t *v)
{
	const char *text = json_string_value(v);

	if (json_is_integer(v))
		return arena_printf(arena, "%lld", (long long)json_integer_value(v));
	return text && strlen(text) == json_string_length(v) ? arena_strdup(arena, text) : NULL;
}

static const char *find_pointed(struct naming *n, const char *text)
{
	json_auto_t *document = read_json(text, strlen(text));
	const char *value;

	if (!document)
		return account_lacks(n, "what should name the account is no JSON");
	value = value_text(n->arena, pointer_find(document, n->source->pointer));
	return value ?: account_lacks(n, "there is no text at %s of what should name the account", n->source->pointer);
}

/* RFC 4648, section 5, without padding: the bytes, NUL-terminated; NULL: it is none. */
static char *from_base64url(struct arena *arena, const char *s, size_t n, size_t *ret_n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *out = arena_alloc(arena, n + 1);
	uint32_t bits = 0;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		const char *d = s[i] ? strchr(digits, s[i]) : NULL;
		if (!d)
			return NULL;
		bits = bits << 6 | (uint32_t)(d - digits);
		if (i % 4)
			out[used++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	*ret_n = used;
	return n % 4 == 1 ? NULL : out;
}

/*
 * RFC 7519, of a token as RFC 7515 (section 7.1) writes it. Nobody here could judge its signature, and need not: it says whose the
 * session would be, and what shows that the site takes it is the probe's other marks.
 */
static const char *find_claim(struct naming *n, const char *token)
{
	const char *payload = strchr(token, '.'), *end = payload ? strchr(payload + 1, '.') : NULL;
	json_auto_t *claims = NULL;
	const char *value;
	size_t size = 0;
	char *text = end ? from_base64url(n->arena, payload + 1, (size_t)(end - payload - 1), &size) : NULL;

	if (text)
		claims = read_json(text, size);
	if (!json_is_object(claims))
		return account_lacks(n, "what should name the account is no JSON Web Token");
	value = value_text(n->arena, json_object_get(claims, n->source->claim));
	return value ?: account_lacks(n, "the token that should name the account has no text as its claim %s", n->source->claim);
}

const char *account_decode(const struct recipe_account_source *source, const char *text, struct arena *arena, char *lack)
{
	struct naming n = { .source = source, .arena = arena, .lack = lack };

	if (text && source->pointer)
		text = find_pointed(&n, text);
	if (text && source->claim)
		text = find_claim(&n, text);
	return text;
}

static int read_named(struct naming *n, const struct account_answer *a, const char **ret)
{
	int r = n->source ? read_source(n, a, ret) : 0;

	if (r == -ECONNRESET || r == -ECANCELED)
		return r;
	if (r < 0)
		*ret = account_lacks(n, "the page that should name the account went away");
	else if (n->source)
		*ret = account_decode(n->source, *ret, n->arena, n->lack);
	return 0;
}

/* What is shown on a page may be told; what is stored or answered may be a secret, such as a whole token. */
static void say_unfit(struct naming *n, const struct recipe_probe_in *in, const char *text)
{
	const char *within = in->pattern ? " within " : "", *pattern = in->pattern ?: "";

	if (n->source)
		account_lacks(n, "what should name the account does not fit as a name%s%s", within, pattern);
	else
		account_lacks(n, "\"%s\" does not fit as a name%s%s", BRIEF(100, text), within, pattern);
}

int account_read(struct target_ref page, const struct recipe_probe_in *in, const char *shown, const struct account_answer *answer,
	char *account, char *lack)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	struct naming n = { .page = page, .source = in->account, .arena = arena, .deadline = deadline_in(READ_MS), .lack = lack };
	const char *text = shown;
	int r;

	*account = *lack = '\0';
	r = read_named(&n, answer, &text);
	if (r < 0)
		return r;
	if (text && recipe_account(in, text, account, ACCOUNT_MOST)) {
		*lack = '\0';
	} else {
		*account = '\0';
		if (text)
			say_unfit(&n, in, text);
	}
	return 0;
}

const char *account_caution(const struct recipe *recipe)
{
	const struct recipe_account_source *s = recipe->probe.in.account;

	return s && s->is ? "The site does not say whose account it is, so Stead cannot tell when a sign-in was made with another one." : NULL;
}
