#include "botd/direct.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "botd/state.h"
#include "common/cleanup.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/retry_after.h"
#include "common/words.h"
#include "http/jar.h"
#include "state/merge.h"

#define MOST_BODY  (4u << 20) /* bytes of an answer, unpacked */
#define MOST_HOPS  5          /* redirects that are followed */
#define MOST_FIELDS 24        /* of a request's head: the recipe's, and ours */
#define MOST_COOKIES 64       /* that one answer may set */

struct direct {
	const struct recipe *recipe;
	struct egress_rule *rule;
	struct http_client *http;
	struct state *state;  /* another one after each change */
	struct arena *own;    /* what is said of the browser */
	bool changed;
	struct arena *arena; /* of what is held */
	struct http_request request;
	struct transfer *held;
	bool once; /* something is held, be it only prepared */
};

/* What browsers of the site may reach, too, and by the same rule. */
static int make_rule(struct botd *b, const struct recipe *recipe, struct egress_rule **ret, char why[HTTP_WHY])
{
	const struct egress_words hosts = { recipe->hosts, recipe->hosts_count };
	const struct egress_words addresses = { recipe->private_addresses, recipe->private_addresses_count };
	const struct egress_words pins = { (const char *const *)b->settings->pin.items, b->settings->pin.count };
	const char *field;
	char wrong[EGRESS_WHY];

	if (egress_rule_new(hosts, addresses, pins, ret, &field, wrong) == 0)
		return 0;
	return words_fail(-EINVAL, why, HTTP_WHY, "The %s of the recipe or the settings cannot be used: %s", field, wrong);
}

int direct_new(struct botd *b, const struct recipe *recipe, int state, struct direct **ret, char why[HTTP_WHY])
{
	struct direct *d = must(calloc(1, sizeof(*d)));
	struct environment e;
	int r;

	*why = '\0';
	d->recipe = recipe;
	d->own = arena_new(0);
	r = state_read_memfd(state, &d->state, why, HTTP_WHY);
	if (r == 0)
		r = make_rule(b, recipe, &d->rule, why);
	if (r < 0) {
		direct_free(d);
		return r;
	}
	state_environment(d->state, &e);
	d->http = http_client_new(&(struct http_config){ .rule = d->rule,
		.resolver = &b->resolver,
		.user_agent = arena_strdup(d->own, e.user_agent ? e.user_agent : e.agent),
		.languages = arena_strdup(d->own, e.languages),
		.trusted_keys = (const char *const *)b->settings->trusted_key.items,
		.trusted_count = b->settings->trusted_key.count });
	*ret = d;
	return 0;
}

void direct_drop(struct direct *d)
{
	d->held = transfer_free(d->held);
	d->arena = arena_free(d->arena);
	d->once = false;
}

bool direct_holds(const struct direct *d)
{
	return d->once;
}

struct direct *direct_free(struct direct *d)
{
	if (!d)
		return NULL;
	direct_drop(d);
	http_client_free(d->http);
	egress_rule_free(d->rule);
	state_free(d->state);
	arena_free(d->own);
	free(d);
	return NULL;
}

bool direct_changed(const struct direct *d)
{
	return d->changed;
}

void direct_kept(struct direct *d)
{
	d->changed = false;
}

int direct_memfd(const struct direct *d, int *ret)
{
	return state_memfd(d->state, ret);
}

/* s since 1970 */
static double now_s(void)
{
	return (double)wall_now() / 1000;
}

/* The request */

struct head {
	struct http_header fields[MOST_FIELDS];
	size_t n;
};

static void add_field(struct head *h, const char *name, const char *value)
{
	if (value && h->n < MOST_FIELDS)
		h->fields[h->n++] = (struct http_header){ name, value };
}

static bool has_field(const struct step *s, const char *name)
{
	for (size_t i = 0; i < s->headers_count; i++)
		if (strcasecmp(s->headers[i].name, name) == 0)
			return true;
	return false;
}

static void prepare_body(struct arena *arena, const struct step *s, struct head *h, struct http_request *ret)
{
	struct http_header *fields = arena_array(arena, s->form_count + 1, sizeof(*fields));
	const char *body = s->json;

	for (size_t i = 0; i < s->form_count; i++)
		fields[i] = (struct http_header){ s->form[i].name, s->form[i].value };
	if (s->form)
		body = http_form(arena, fields, s->form_count);
	add_field(h, "Content-Type", !body ? NULL : s->form ? "application/x-www-form-urlencoded" : "application/json");
	ret->body = body;
	ret->size = body ? strlen(body) : 0;
}

/* As the page's own script would ask: with the session's cookies, and of the place that the person is at. */
static void prepare(struct direct *d, struct arena *arena, const struct step *s, const char *url, int64_t deadline,
	struct http_request *ret)
{
	struct head *h = arena_alloc(arena, sizeof(*h));

	*ret = (struct http_request){ .method = s->method, .url = url, .headers = h->fields, .once = s->act, .most = MOST_BODY,
		.deadline = deadline };
	for (size_t i = 0; i < s->headers_count; i++)
		add_field(h, s->headers[i].name, s->headers[i].value);
	if (!has_field(s, "accept"))
		add_field(h, "Accept", "application/json, text/html;q=0.9, */*;q=0.8");
	add_field(h, "Cookie", jar_header(arena, d->state, url, now_s()));
	prepare_body(arena, s, h, ret);
	ret->headers_count = h->n;
}

/* The answer */

/* Whatever an answer sets is the session's from then on. */
static void take_cookies(struct direct *d, struct arena *arena, const char *url, const struct http_answer *a)
{
	struct state_cookie cookies[MOST_COOKIES];
	struct state *state;
	size_t n = 0;

	for (size_t i = 0; i < a->headers_count && n < MOST_COOKIES; i++)
		if (strcasecmp(a->headers[i].name, "set-cookie") == 0)
			n += jar_read(arena, d->state, url, a->headers[i].value, now_s(), &cookies[n]);
	if (n == 0 || state_set_cookies(d->state, cookies, n, now_s(), &state) < 0)
		return;
	d->changed |= !state_equal(d->state, state);
	state_free(d->state);
	d->state = state;
}

void said_end(struct said *s)
{
	json_decref(s->answer.json);
	s->answer.json = NULL;
}

bool said_is_down(const struct said *s)
{
	return s->answer.status == 429 || s->answer.status >= 500;
}

static void read_answer(struct direct *d, struct arena *arena, const char *url, const struct http_answer *a, struct said *ret)
{
	take_cookies(d, arena, url, a);
	said_end(ret);
	*ret = (struct said){ .answer = { .status = a->status, .json = json_loadb(a->body, a->size, JSON_DECODE_ANY, NULL),
		.body = words_new(arena, a->size * 3 + 1, "%s", a->body) },
		.url = url,
		.retry_ms = retry_after_ms(http_header_of(a, "retry-after"), wall_now()),
		.gone = a->gone };
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where people sign in: a provider, or where the recipe says that the site sends whoever is not signed in. */
static bool leads_out(const struct direct *d, const char *url)
{
	const struct recipe_probe_out *out = &d->recipe->probe.out;

	return recipe_is_provider(d->recipe, url) || recipe_any_url(out->url, out->url_count, url);
}

/* The address that it is redirected to; NULL: it is none, or is not followed. ret->out: for it asks to sign in. */
static const char *next_address(
	struct direct *d, struct arena *arena, const struct step *s, const struct http_answer *a, struct said *ret)
{
	const char *location = is_redirect(a->status) ? http_header_of(a, "location") : NULL;
	const char *url = location ? http_join(arena, ret->url, location) : NULL;

	if (!url)
		return NULL;
	ret->out = leads_out(d, url);
	return ret->out || s->act ? NULL : url;
}

/* What is asked for at the place that an answer leads to: with 307 and 308 the same again (RFC 9110 section 15.4), else GET. */
static struct step redirected(const struct step *s, int status)
{
	struct step next = *s;

	if (status != 307 && status != 308 && strcmp(s->method, "HEAD") != 0) {
		next.method = "GET";
		next.form = NULL;
		next.json = NULL;
	}
	return next;
}

int direct_ask(struct direct *d, const struct step *step, int64_t deadline, struct arena *arena, struct said *ret,
	char why[HTTP_WHY])
{
	const char *url = step->url;
	struct step s = *step;

	*why = '\0';
	*ret = (struct said){ 0 };
	for (int hop = 0; hop <= MOST_HOPS; hop++) {
		struct http_answer a;
		struct http_request q;
		int r;

		prepare(d, arena, &s, url, deadline, &q);
		r = http_fetch(d->http, &q, arena, &a, why);
		ret->gone = a.gone;
		if (r < 0)
			return r;
		read_answer(d, arena, url, &a, ret);
		url = next_address(d, arena, &s, &a, ret);
		if (!url)
			return 0;
		s = redirected(&s, a.status);
	}
	return words_fail(-ELOOP, why, HTTP_WHY, "The site leads from one address to the next, %d times and more.", MOST_HOPS);
}

/* The act */

int direct_hold(struct direct *d, const struct step *step, int64_t deadline, char why[HTTP_WHY])
{
	int r = 0;

	*why = '\0';
	direct_drop(d);
	d->arena = arena_new_secret(0);
	prepare(d, d->arena, step, step->url, deadline, &d->request);
	if (d->request.size)
		r = http_hold(d->http, &d->request, &d->held, why);
	if (r < 0)
		direct_drop(d);
	d->once = r == 0;
	return r;
}

int direct_let_go(struct direct *d, int64_t deadline, struct arena *arena, struct said *ret, char why[HTTP_WHY])
{
	const char *url = arena_strdup(arena, d->request.url);
	struct http_answer a = { 0 };
	int r;

	*why = '\0';
	*ret = (struct said){ 0 };
	d->request.deadline = deadline;
	if (d->held)
		r = http_let_go(d->held, deadline, arena, &a, why);
	else
		r = http_fetch(d->http, &d->request, arena, &a, why);
	ret->gone = a.gone;
	if (r == 0) {
		const struct step act = { .act = true };

		read_answer(d, arena, url, &a, ret);
		next_address(d, arena, &act, &a, ret);
	}
	direct_drop(d);
	return r;
}
