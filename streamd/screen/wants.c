#include "streamd/screen/wants.h"

#include <string.h>

#include <jansson.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/words.h"
#include "recipe/pattern.h"
#include "recipe/recipe.h"
#include "streamd/browser/watch.h"
#include "streamd/screen/copy.h"
#include "streamd/screen/dialogs.h"
#include "streamd/screen/menu.h"
#include "streamd/screen/notes.h"
#include "streamd/screen/screen.h"
#include "streamd/screen/trouble.h"

#define MOST_HOST 257
#define ACT_MS    5000 /* what a page does so soon after a press or a key, that has brought about */

/* Whose page it is, for a sentence. */
static const char *wants_host_of(const struct target *t, char host[MOST_HOST])
{
	if (!t || !url_host(url_whole(t->url), host, MOST_HOST))
		words_set(host, MOST_HOST, "The page");
	return host;
}

void wants_navigating(void *owner, struct target *page)
{
	struct screen *s = owner;

	dialogs_remove(s->dialogs, page, false, true);
	if (s->trouble && browser_front(s->browser) == page)
		trouble_navigating(s->trouble, page);
}

void wants_password(void *owner, struct target *target, const struct cbor *params)
{
	struct screen *s = owner;

	if (!s->ending)
		dialogs_add_password(s->dialogs, target, params);
	screen_happened(s);
}

void wants_app(void *owner, const char *scheme)
{
	struct screen *s = owner;
	char host[MOST_HOST];

	log_notice("a page of %s wanted to open an app by a %s: link, which was refused", s->recipe->name, scheme);
	notes_add(s->notes, NOTE_APP, scheme, "plain", false, "Choose another way on the page, such as a code.",
		"%s wanted to open an app (%s:). This browser runs on Stead's server and has none.",
		wants_host_of(s->browser ? browser_front(s->browser) : NULL, host), scheme);
}

void wants_download(void *owner, const char *name)
{
	struct screen *s = owner;

	notes_add(s->notes, NOTE_DOWNLOAD, "", "plain", false, "Fetch it in your own browser if you need it.",
		"The page wanted to save a file%s%s%s. Files cannot be saved from this browser.",
		*name ? " (" : "", BRIEF(100, name), *name ? ")" : "");
}

void wants_file(void *owner, struct target *target)
{
	struct screen *s = owner;
	char host[MOST_HOST];

	notes_add(s->notes, NOTE_FILE, "", "plain", false, "If the sign-in needs it, go on without, or tell the administrator.",
		"%s asks for a file. Your files cannot be reached from this browser, which runs on Stead's server.",
		wants_host_of(target, host));
}

static void passkey_wanted(struct screen *s, const struct target *t, const char *kind)
{
	bool make = strcmp(kind, "create") == 0;
	char host[MOST_HOST];

	notes_add(s->notes, NOTE_PASSKEY, kind, "plain", false, make ?
		"Go on without one, such as by \"Not now\" or \"Skip\"." :
		"Choose another way on the page, such as a password or a code.", make ?
		"%s wanted to make a passkey. This browser runs on Stead's server and cannot keep one." :
		"%s asked for a passkey or a security key. This browser runs on Stead's server and has none.",
		wants_host_of(t, host));
}

static void chooser_wanted(struct screen *s, const char *what)
{
	static const struct {
		const char *what, *text, *advice;
	} rows[] = {
		{ "date", "The calendar of this field is not in the picture.", "Type the date, part by part; arrow keys change a part." },
		{ "time", "The list of times of this field is not in the picture.", "Type the time; arrow keys change a part." },
		{ "colour", "The colours of this field are not in the picture.", "" },
		{ "list", "The suggestions of this field are not in the picture.",
			"Type it, or choose with the arrow keys and Enter." },
		{ "print", "The page wanted to print. There is no printer in this browser.",
			"Open the page in your own browser to print it." },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].what, what) == 0)
			notes_add(s->notes, NOTE_CHOOSER, what, "plain", false, rows[i].advice, "%s", rows[i].text);
}

static void typing_changed(struct screen *s, bool typing)
{
	struct keyboard_wanted_event event = { .wanted = typing };

	if (s->typing == typing)
		return;
	s->typing = typing;
	screen_tell(s, &method_keyboard_wanted, &event);
}

/* Only to who acts there: others may look on, and their clipboards are nobody else's. */
static void text_copied(struct screen *s, const char *text, bool offered)
{
	struct text_copied_event copied = { .text = text, .offered = offered };
	struct viewer *v;

	if (loop_now() - s->acted <= ACT_MS)
		LIST_FOREACH (v, &s->viewers, link)
			if (v->id == s->control)
				viewer_tell(v, &method_text_copied, &copied);
}

/* A copy that the person asked for by its key they have; one that the page made, they are offered. */
static bool take_copy(struct screen *s, const json_t *said)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_secret(0);
	const char *text = NULL;
	bool offered = false;

	if (!copy_read(said, arena, &text, &offered))
		return false;
	text_copied(s, text, offered || loop_now() - s->copied > ACT_MS);
	return true;
}

static bool take_want(struct screen *s, struct target *t, const json_t *said)
{
	const char *passkey = json_string_value(json_object_get(said, "passkey"));
	const char *wants = json_string_value(json_object_get(said, "wants"));
	const char *title = json_string_value(json_object_get(said, "title"));
	const json_t *typing = json_object_get(said, "typing");

	if (passkey)
		passkey_wanted(s, t, passkey);
	if (wants)
		chooser_wanted(s, wants);
	if (title && t->kind == TARGET_PAGE)
		target_set_title(t, title);
	if (typing)
		typing_changed(s, json_is_true(typing));
	return passkey || wants || title || typing;
}

void wants_binding(void *owner, struct target *target, const struct cbor *params)
{
	struct screen *s = owner;
	json_auto_t *said = s->menus ? watch_read(params) : NULL;

	if (said && !take_copy(s, said) && !take_want(s, target, said))
		menus_take(s->menus, target, cbor_get_int(params, "executionContextId", 0), said);
}

static void tell_host(struct screen *s, const char *host, const char *why)
{
	char text[512];
	struct host_refused_event event = { .host = host, .why = text };

	trouble_words(host, why, text, sizeof(text));
	screen_tell(s, &method_host_refused, &event);
}

void wants_host(void *owner, const char *host, const char *why)
{
	struct screen *s = owner;

	log_notice("the page of %s wanted %s, which was refused: %s", s->recipe->name, host, why);
	tell_host(s, host, why);
	if (s->trouble)
		trouble_host(s->trouble, browser_front(s->browser), host, why);
}

void wants_lost_host(void *owner, const char *host, const char *why)
{
	struct screen *s = owner;

	log_info("the page of %s wanted %s, which could not be reached: %s", s->recipe->name, host, why);
	if (s->trouble)
		trouble_host(s->trouble, browser_front(s->browser), host, why);
}
