#include "streamd/screen/trouble.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>

#include "common/arena.h"
#include "common/cleanup.h"
#include "common/fiber.h"
#include "common/latch.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/must.h"
#include "common/words.h"
#include "recipe/pattern.h"
#include "streamd/browser/net_error.h"
#include "streamd/browser/page.h"

#define SLOW_S     12
#define ANSWER_MS  5000
#define LOOKS      20 /* at an error page that is being built */
#define LOOK_MS    100
#define MOST_HOST  257
#define MOST_HOSTS 16 /* whose reasons are remembered */
#define MOST_CODE  64

#define TELL "Reload, or tell the administrator."

struct trouble {
	struct notes *notes;
	const char *site;
	struct event *timer;
	struct target_ref page; /* that the timer and the fiber are about */
	struct fiber *fiber;    /* looks at the error page; NULL: none does */
	struct latch idle;      /* until none does */
	bool explaining, freed;
	uint64_t load, explained; /* number of this load, and of the last that was explained */
	struct host_why {
		char host[MOST_HOST], why[MOST_HOST];
	} hosts[MOST_HOSTS];
	size_t next_host; /* of all there were: the oldest go */
};

static void on_slow(evutil_socket_t fd, short what, void *arg);

struct trouble *trouble_new(struct notes *notes, const char *site)
{
	struct trouble *t = must(calloc(1, sizeof(*t)));

	t->notes = notes;
	t->site = site;
	t->timer = loop_timer(on_slow, t);
	return t;
}

struct trouble *trouble_free(struct trouble *t)
{
	if (!t)
		return NULL;
	t->freed = true;
	fiber_cancel(t->fiber);
	LATCH_AWAIT(&t->idle, !t->explaining);
	event_free(t->timer);
	free(t);
	return NULL;
}

void trouble_words(const char *host, const char *why, char *out, size_t size)
{
	if (strncmp(why, "It ", 3) == 0)
		words_set(out, size, "%s %s", host, why + 3);
	else
		words_set(out, size, "%s: %s", host, why);
}

static struct host_why *find_host(struct trouble *t, const char *host)
{
	for (size_t i = 0; i < MOST_HOSTS; i++)
		if (strcasecmp(t->hosts[i].host, host) == 0)
			return &t->hosts[i];
	return NULL;
}

static void keep_why(struct trouble *t, const char *host, const char *why)
{
	struct host_why *h = find_host(t, host) ?: &t->hosts[t->next_host++ % MOST_HOSTS];

	if (exact_set(h->host, sizeof(h->host), "%s", host))
		words_set(h->why, sizeof(h->why), "%s", why);
}

static void say_why(struct trouble *t, const char *host, const char *why)
{
	char text[512];

	trouble_words(host, why, text, sizeof(text));
	notes_add(t->notes, NOTE_PAGE, "", "bad", true, TELL, "%s", text);
}

static const char *certificate_words(const char *code)
{
	static const struct {
		const char *code, *words;
	} rows[] = { { "ERR_CERT_AUTHORITY_INVALID", "unknown authority" },
		{ "ERR_CERT_COMMON_NAME_INVALID", "it is another host's" },
		{ "ERR_CERT_DATE_INVALID", "it has expired, or is not valid yet" },
		{ "ERR_CERT_REVOKED", "it has been revoked" },
		{ "ERR_CERT_WEAK_SIGNATURE_ALGORITHM", "its signature is too weak" },
		{ "ERR_CERT_WEAK_KEY", "its key is too weak" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].words;
	return code;
}

/* code: as Chromium's error page has it, ERR_... */
static void trouble_say_failed(struct trouble *t, const char *host, const char *code)
{
	bool proxied = strcmp(code, "ERR_TUNNEL_CONNECTION_FAILED") == 0 || strncmp(code, "ERR_PROXY_", 10) == 0;
	const struct host_why *known = proxied ? find_host(t, host) : NULL;
	char name[MOST_CODE + 8];

	if (known) {
		say_why(t, host, known->why);
		return;
	}
	if (strncmp(code, "ERR_CERT_", 9) == 0) {
		notes_add(t->notes, NOTE_PAGE, "", "bad", true,
			"Tell the administrator: if the certificate is meant to be like that, its key can be trusted (trusted_key).",
			"The certificate of %s is not trusted (%s). Do not type a password.", host, certificate_words(code));
		return;
	}
	words_set(name, sizeof(name), "net::%s", code);
	notes_add(t->notes, NOTE_PAGE, "", "bad", true, TELL, "%s could not be opened: %s (%s).", host, net_error_words(name), code);
}

/* What the error page gives as its reason; "" while it does not stand yet. */
static int read_code(struct target_ref page, char code[MOST_CODE])
{
	static const char look[] =
		"() => (document.getElementById('error-code') ?? document.querySelector('.error-code'))?.textContent.trim() ?? ''";
	const struct target *t = target_of(page);
	CLEANUP(cdp_reply_free) struct cdp_reply reply = { 0 };
	char frame[CDP_ID];
	char *text;
	int r;

	if (!t)
		return -EPIPE;
	exact_must(frame, sizeof(frame), "%s", t->id);
	r = frame_call(page, frame, look, deadline_in(ANSWER_MS), &reply);
	if (r < 0)
		return r;
	text = cbor_text_utf8(reply.arena, frame_value(&reply));
	if (text && strncasecmp(text, "net::", 5) == 0)
		text += 5;
	words_set(code, MOST_CODE, "%s", text ? text : "");
	return 0;
}

/* An error page is built by its own script, and nothing tells when that is done. */
static int await_code(struct target_ref page, char code[MOST_CODE])
{
	int r = 0;

	code[0] = '\0';
	for (int looks = 0; looks < LOOKS && !code[0] && (r == 0 || r == -EREMOTE); looks++) {
		r = read_code(page, code);
		if (!code[0] && (r == 0 || r == -EREMOTE) && fiber_sleep_until(deadline_in(LOOK_MS)) < 0)
			r = -ECANCELED;
	}
	return r;
}

static void explain_load(struct trouble *t)
{
	uint64_t load = t->load;
	char code[MOST_CODE], host[MOST_HOST];
	const struct target *page;
	int r = await_code(t->page, code);

	page = target_of(t->page);
	if (r == -ECANCELED || t->load != load || !page || !page->failed)
		return;
	t->explained = load;
	if (!url_host(url_whole(page->failed), host, sizeof(host)))
		words_set(host, sizeof(host), "The page");
	if (!code[0])
		words_set(code, sizeof(code), "ERR_FAILED");
	log_notice("%s could not be opened: %s", url_shown(page->failed), code);
	trouble_say_failed(t, host, code);
}

static bool wants_explaining(const struct trouble *t)
{
	const struct target *page = target_of(t->page);

	return !fiber_cancelled() && !t->freed && page && page->failed && t->explained != t->load;
}

static void trouble_explain(void *arg)
{
	struct trouble *t = arg;

	t->fiber = fiber_self();
	for (uint64_t before = 0; wants_explaining(t) && before != t->load;) {
		before = t->load;
		explain_load(t);
	}
	t->fiber = NULL;
	t->explaining = false;
	latch_wake(&t->idle, 0);
}

void trouble_navigating(struct trouble *t, const struct target *page)
{
	event_del(t->timer);
	notes_remove(t->notes, NOTE_PAGE);
	notes_remove(t->notes, NOTE_SLOW);
	t->load++;
	t->page = target_ref_of(page);
	if (page && page->pending)
		loop_arm(t->timer, SLOW_S * 1000);
	else if (page)
		trouble_changed(t, page);
}

static void on_slow(evutil_socket_t, short, void *arg)
{
	struct trouble *t = arg;
	const struct target *page = target_of(t->page);
	char host[MOST_HOST];

	if (!page || !page->pending)
		return;
	if (!url_host(url_whole(page->pending), host, sizeof(host)))
		words_set(host, sizeof(host), "%s", t->site);
	notes_add(t->notes, NOTE_SLOW, "", "warn", true, "", "%s has not answered for %d s.", host, SLOW_S);
}

void trouble_changed(struct trouble *t, const struct target *page)
{
	if (page->pending)
		return;
	event_del(t->timer);
	notes_remove(t->notes, NOTE_SLOW);
	if (page->failed && !t->explaining && t->explained != t->load) {
		t->explaining = true;
		fiber_start("error page", trouble_explain, t, NULL);
	}
}

static void say_answer(struct trouble *t, const struct target *page, const char *sign_in)
{
	bool old = (page->answer.status == 404 || page->answer.status == 410) && strcmp(url_whole(page->url), sign_in) == 0;
	char words[200], text[600];

	answer_words(&page->answer, words, sizeof(words));
	words_set(text, sizeof(text), "%s %s%s", url_shown(page->url), words, old ? "; the recipe's sign_in.url may be old." : ".");
	log_notice("%s", text);
	notes_add(t->notes, NOTE_PAGE, "", "warn", true,
		answer_is_down(&page->answer) ? "Reload in a moment." : "Tell the administrator, or go on from here.", "%s", text);
}

/* 401 and 403 are words to a person who is not signed in yet. */
bool trouble_answered(struct trouble *t, const struct target *page, const char *sign_in)
{
	int status = page->answer.status;
	bool wrong = status >= 400 && status != 401 && status != 403;

	if (page->pending || page->failed)
		return true;
	if (wrong && t->explained != t->load) {
		t->explained = t->load;
		say_answer(t, page, sign_in);
	}
	return wrong;
}

static bool is_about(const struct url *url, const char *host)
{
	char name[MOST_HOST];

	return url && url_host(url_whole(url), name, sizeof(name)) && strcasecmp(name, host) == 0;
}

void trouble_host(struct trouble *t, const struct target *page, const char *host, const char *why)
{
	keep_why(t, host, why);
	if (!page)
		return;
	/* What comes over plain http in place of the page is no error page but the launcher's own words. */
	if (is_about(page->failed, host) || (!page->failed && is_about(page->pending, host)) ||
		(!page->failed && strncmp(url_whole(page->url), "http:", 5) == 0 && is_about(page->url, host)))
		say_why(t, host, why);
}
