/*
 * Lists that drop down and copied text, as a viewer gets them: pressed and typed through CDP as viewers do it, in the page
 * and in frames of another site.
 */
#include "tests/integration/test_pages_rig.h"

#include "streamd/browser/watch.h"
#include "streamd/screen/copy.h"
#include "streamd/screen/menu.h"

#define SELECT                                                                                                         \
	"<select id=s style='width:200px;height:30px'><option value=''></option><optgroup label=North disabled>"       \
	"<option>N1</option></optgroup><optgroup label=South><option value=s1>South  One</option>"                     \
	"<option value=s2 disabled>South Two</option></optgroup><option hidden>never</option><option value=e selected>" \
	"East</option></select><p id=p></p><script>let n = ''; s.onmousedown = () => n += 'd'; s.oninput = () => n += 'i';" \
	"s.onchange = () => p.textContent = (n += 'c') + s.value;</script>"

static const struct page pages[] = {
	{ "/", "<!doctype html><body style='margin:0'><div style='height:100px'></div>" SELECT },
	{ "/frames", "<!doctype html><body style='margin:0'><div style='height:120px'></div>"
		     "<iframe src='http://b.test/outer' style='border:10px solid;margin-left:40px' width=500 height=400></iframe>" },
	{ "/outer", "<!doctype html><body style='margin:0'><div style='height:50px'></div>"
		    "<iframe src='/' style='border:5px solid;margin-left:20px' width=400 height=300></iframe>" },
	{ "/list", "<!doctype html><style>option{height:20px}</style><body style='margin:0'><select id=s size=3 style='width:200px;height:70px'><option>a<option>b<option>c"
		   "</select><select id=m multiple><option>x</select>" },
	{ "/copy", "<!doctype html><input id=f value='one two three'><input id=pw type=password value=hidden>"
		   "<p id=t>text of the <b>page</b></p><textarea id=own>mine</textarea><script>"
		   "own.oncopy = (e) => { e.clipboardData.setData('text/plain', 'from the page'); e.preventDefault(); };</script>" },
};

static struct menus *menus;

/* What the viewer would have been told. */
static struct {
	int opened, closed;
	int64_t menu;
	double x, y, width, height;
	char labels[512], copied[256];
	bool leaked; /* a password was copied */
	struct wait *wait;
} seen;

static void note(void)
{
	if (seen.wait)
		wait_wake(seen.wait, 0);
}

static void on_opened(const struct menu_opened_event *e)
{
	size_t n = 0;

	seen.opened++;
	seen.menu = e->menu;
	seen.x = e->x;
	seen.y = e->y;
	seen.width = e->width;
	seen.height = e->height;
	for (size_t i = 0; i < e->options_count; i++)
		n += (size_t)snprintf(seen.labels + n, sizeof(seen.labels) - n, "%s%s%s%s|", e->options[i].label,
			e->options[i].disabled ? "-" : "", e->options[i].heading ? "#" : "",
			e->options[i].selected ? "*" : "");
}

static void on_closed(const struct menu_closed_event *e)
{
	assert_int_equal(e->menu, seen.menu);
	seen.closed++;
}

static void hear(void *owner, const struct method *event, const void *fields)
{
	(void)owner;
	if (event == &method_menu_opened)
		on_opened(fields);
	else if (event == &method_menu_closed)
		on_closed(fields);
	note();
}

static void on_binding(void *owner, struct target *target, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *secret = arena_new_secret(0);
	json_auto_t *said = watch_read(params);
	const char *text;
	bool offered;

	(void)owner;
	if (copy_read(said, secret, &text, &offered)) {
		snprintf(seen.copied, sizeof(seen.copied), "%s", text);
		seen.leaked = seen.leaked || strstr(text, "hidden");
		note();
	} else if (menus) {
		menus_take(menus, target, cbor_get_int(params, "executionContextId", 0), said);
	}
}

static void on_changed(void *owner, struct target *page)
{
	(void)owner;
	if (page->loading && menus)
		menus_close(menus);
}

static const struct browser_events events = { .binding = on_binding, .page_changed = on_changed };

static void open_menus(void *arg)
{
	(void)arg;
	menus = menus_new(hear, NULL);
}

static void close_menus(void *arg)
{
	(void)arg;
	menus = menus_free(menus);
}

static int set_up(void **state)
{
	(void)state;
	rig_open_pages(pages, sizeof(pages) / sizeof(*pages), &events);
	in_fiber(open_menus, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	in_fiber(close_menus, NULL);
	rig_close_pages();
	return 0;
}

static int forget(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	return 0;
}

/* Waits for what the viewer is told next; false when nothing has come by then. */
static bool told(int64_t end)
{
	struct wait w = { 0 };
	int r;

	seen.wait = &w;
	r = wait_for(&w, end);
	seen.wait = NULL;
	return r == 0;
}

/* Waits until a counter has this value; what is not told within seconds is not told. */
static void await(const int *counter, int value)
{
	int64_t end = deadline_in(20000);

	while (*counter != value)
		if (!told(end))
			fail_msg("%d and not %d", *counter, value);
}

static void await_copied(const char *text)
{
	int64_t end = deadline_in(20000);

	while (!strstr(seen.copied, text))
		if (!told(end))
			fail_msg("\"%s\" and not \"%s\"", seen.copied, text);
}

static void press(double x, double y)
{
	struct cdp *c = browser_cdp(rig.browser);
	const char *session = browser_page(rig.browser)->session;

	cdp_send(c, session, "Input.dispatchMouseEvent", CDP_TEXT("type", "mousePressed"), CDP_REAL("x", x),
		CDP_REAL("y", y), CDP_TEXT("button", "left"), CDP_INT("buttons", 1), CDP_INT("clickCount", 1));
	cdp_send(c, session, "Input.dispatchMouseEvent", CDP_TEXT("type", "mouseReleased"), CDP_REAL("x", x),
		CDP_REAL("y", y), CDP_TEXT("button", "left"), CDP_INT("clickCount", 1));
}

static void key(const char *name, const char *code, int vk, int modifiers, const char *command)
{
	struct cdp *c = browser_cdp(rig.browser);
	const char *session = browser_page(rig.browser)->session;

	cdp_send(c, session, "Input.dispatchKeyEvent", CDP_TEXT("type", "rawKeyDown"), CDP_TEXT("key", name),
		CDP_TEXT("code", code), CDP_INT("windowsVirtualKeyCode", vk), CDP_INT("modifiers", modifiers),
		CDP_LIST("commands", CDP_TEXT(NULL, command ? command : "cancelOperation")));
	cdp_send(c, session, "Input.dispatchKeyEvent", CDP_TEXT("type", "keyUp"), CDP_TEXT("key", name),
		CDP_TEXT("code", code), CDP_INT("windowsVirtualKeyCode", vk), CDP_INT("modifiers", modifiers));
}

static void copy_all(void)
{
	key("a", "KeyA", 65, 2, "selectAll");
	key("c", "KeyC", 67, 2, "copy");
}

static void shows(const char *at, const char *value)
{
	ok(arena_printf(arena, "{\"step\": \"expect\", \"at\": {%s}, \"value\": \"%s\"}", at, value));
}

static void near(double value, double want)
{
	if (value < want - 1 || value > want + 1)
		fail_msg("%g and not %g", value, want);
}

PAGE_TEST(test_press)
{
	go("/");
	press(20, 110);
	await(&seen.opened, 1);
	assert_string_equal(seen.labels, " |North-#|N1-|South#|South One|South Two-|East*|");
	near(seen.x, 0);
	near(seen.y, 100);
	near(seen.width, 200);
	near(seen.height, 30);
	assert_non_null(menus_open(menus));
	menu_choose(menus, seen.menu, 4);
	await(&seen.closed, 1);
	assert_null(menus_open(menus));
	shows("\"css\": \"#p\"", "dics1");
	shows("\"css\": \"#s\"", "South One");
}

/* What cannot be chosen is not, and a list that is gone cannot be chosen from. */
PAGE_TEST(test_not_chosen)
{
	go("/");
	for (int64_t option = -1; option <= 5; option += 2) { /* none, a heading, a heading, a disabled one */
		int opened = seen.opened;
		press(20, 110);
		await(&seen.opened, opened + 1);
		menu_choose(menus, seen.menu, option);
		await(&seen.closed, opened + 1);
	}
	menu_choose(menus, seen.menu, 4);
	shows("\"css\": \"#s\"", "East");
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"#p\"}, \"gone\": true}"); /* no event was heard */
}

PAGE_TEST(test_keys)
{
	go("/");
	press(20, 110);
	await(&seen.opened, 1);
	press(20, 110); /* again: closes */
	await(&seen.closed, 1);
	key(" ", "Space", 32, 0, NULL);
	await(&seen.opened, 2);
	key("Escape", "Escape", 27, 0, NULL);
	await(&seen.closed, 2);
	key("ArrowDown", "ArrowDown", 40, 1, NULL);
	await(&seen.opened, 3);
	press(600, 500); /* elsewhere */
	await(&seen.closed, 3);
	press(20, 110);
	await(&seen.opened, 4);
	go("/");
	await(&seen.closed, 4);
}

PAGE_TEST(test_frame)
{
	go("/frames");
	ok("{\"step\": \"wait_for\", \"at\": {\"frame\": \"http://b.test/\", \"css\": \"#s\"}}");
	/* the outer frame at 50,130 within its border, the inner at 25,55 in it, the element at 0,100 in that */
	press(50 + 25 + 20, 130 + 55 + 110);
	await(&seen.opened, 1);
	near(seen.x, 75);
	near(seen.y, 285);
	near(seen.width, 200);
	menu_choose(menus, seen.menu, 4);
	await(&seen.closed, 1);
	shows("\"frame\": \"http://b.test/\", \"css\": \"#p\"", "dics1");
}

/* Lists that stand open are in the picture. */
PAGE_TEST(test_list)
{
	go("/list");
	press(20, 48);
	shows("\"css\": \"#s\"", "b");
	assert_int_equal(seen.opened, 0);
}

PAGE_TEST(test_copy)
{
	go("/copy");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#f\"}}");
	copy_all();
	await_copied("one two three");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#own\"}}");
	copy_all();
	await_copied("from the page");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#pw\"}}");
	copy_all();
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#f\"}}");
	key("a", "KeyA", 65, 2, "selectAll");
	key("x", "KeyX", 88, 2, "cut");
	await_copied("one two three");
	assert_false(seen.leaked);
	shows("\"css\": \"#f\"", "");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#t\"}}");
	copy_all();
	await_copied("text of the page");
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_press, forget),
		cmocka_unit_test_setup(test_not_chosen, forget),
		cmocka_unit_test_setup(test_keys, forget),
		cmocka_unit_test_setup(test_frame, forget),
		cmocka_unit_test_setup(test_list, forget),
		cmocka_unit_test_setup(test_copy, forget),
	};

	rig_drop_user();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
