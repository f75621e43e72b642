/*
 * Page steps against pages that make them hard: elements that come late, move, are covered or belong to frames of other
 * sites, fields that a script owns, popups, dialogs, documents that go away, and a page that hangs.
 */
#include "tests/integration/test_pages_rig.h"

/* The site: two hosts, one table of pages. */

static const struct page pages[] = {
	{ "/", "<!doctype html><title>home</title><h1>Home</h1><a href=/next>go on</a>"
	       "<form action=/next><button>send</button></form>"
	       "<button id=js onclick=\"location.href='/next'\">by script</button>"
	       "<button id=push onclick=\"history.pushState({}, '', '/pushed')\">push</button>"
	       "<button id=later onclick=\"setTimeout(() => location.href = '/next', 400)\">later</button>"
	       "<button id=out onclick=\"history.pushState({}, '', '/login')\">out</button>" },
	{ "/next", "<!doctype html><title>next</title><h1>Next</h1>" },
	{ "/login", "<!doctype html><title>login</title><h1>Sign in</h1>" },
	{ "/late", "<!doctype html><h1>Late</h1><button id=b disabled>Press</button><p id=p></p><script>"
		   "setTimeout(() => b.disabled = false, 300); b.onclick = () => p.textContent = 'pressed';</script>" },
	{ "/covered", "<!doctype html><button id=b onclick=\"p.textContent = 'pressed'\">Press</button><p id=p></p>"
		      "<div id=c style='position:fixed;inset:0;background:#fff8'></div><script>"
		      "if (location.search) setTimeout(() => c.remove(), 300)</script>" },
	{ "/moving", "<!doctype html><style>@keyframes m{from{margin-left:0}to{margin-left:600px}}"
		     "#b{animation:m .6s linear forwards}</style><button id=b onclick=\"p.textContent = 'pressed'\">Press</button>"
		     "<p id=p></p>" },
	{ "/far", "<!doctype html><div style='height:4000px'></div><button onclick=\"p.textContent = 'pressed'\">Far"
		  " <b>away</b></button><p id=p></p><div style='height:4000px'></div>" },
	{ "/menu", "<!doctype html><style>#m{display:none}#b:hover #m{display:block}</style><div style='height:2000px'></div>"
		   "<ul><li id=b onclick=\"p.textContent += 'pressed '\" onmouseenter=\"p.textContent += 'over '\">Menu"
		   "<ul id=m><li><button onclick=\"q.textContent = 'chosen'\">Entry</button></ul></ul>"
		   "<button id=d disabled>Off</button><p id=p></p><p id=q></p>" },
	/* What a page hears of keys and of two presses. */
	{ "/chords", "<!doctype html><form action=/next><input id=f value=held></form><div id=d tabindex=0>box</div><p id=no>text</p>"
		     "<p id=p></p><p id=q></p><button id=t>Twice</button><script>let n = 0;"
		     "onkeydown = (e) => { p.textContent += `${e.ctrlKey ? 'C' : ''}${e.shiftKey ? 'S' : ''}${e.key}/${e.code}@"
		     "${e.target.id} `; };"
		     "t.onclick = () => n++; t.ondblclick = (e) => q.textContent = `${n} ${e.detail} ${e.isTrusted}`;</script>" },
	/* Boxes: a plain one, one behind its label, one that a script keeps and draws anew, one that says no, one that is late. */
	{ "/boxes", "<!doctype html><input type=checkbox id=a><label id=l><input type=checkbox id=b style='display:none'>Label</label>"
		    "<div id=s role=switch aria-checked=false tabindex=0>Switch</div><span id=w></span><input type=checkbox id=n>"
		    "<input type=radio name=r id=r1 checked><input type=radio name=r id=r2><input type=checkbox id=late disabled>"
		    "<p id=p></p><script>let on = false; const log = (s) => p.textContent += s + ' ';"
		    "const draw = () => { w.innerHTML = `<input type=checkbox id=c ${on ? 'checked' : ''}>`;"
		    "c.onclick = (e) => { e.preventDefault(); log('c'); setTimeout(() => { on = !on; draw(); }, 200); }; }; draw();"
		    "s.onclick = () => { log('s'); setTimeout(() => s.setAttribute('aria-checked', s.ariaChecked !== 'true'), 200); };"
		    "a.onclick = () => log('a'); b.onclick = () => log('b'); n.onclick = (e) => { log('n'); e.preventDefault(); };"
		    "setTimeout(() => late.disabled = false, 400);</script>" },
	/* HTML's own drag-and-drop, and one that a script makes of the mouse. */
	{ "/drags", "<!doctype html><style>#x,#y,#k,#z{width:90px;height:60px;border:1px solid}#k{position:absolute;left:300px;top:20px}"
		    "</style><div id=x draggable=true>Card</div><div id=y>Place</div><div id=k>Knob</div><div style='height:3000px'></div>"
		    "<div id=z>Far</div><p id=p></p><p id=q></p><script>"
		    "x.ondragstart = (e) => e.dataTransfer.setData('text', 'the card'); y.ondragover = (e) => e.preventDefault();"
		    "y.ondrop = (e) => { e.preventDefault(); y.textContent = e.dataTransfer.getData('text') + ' ' + e.isTrusted; };"
		    "let from, moves = 0; k.onpointerdown = (e) => { from = e.clientX; k.setPointerCapture(e.pointerId); };"
		    "k.onpointermove = (e) => { if (from !== undefined) moves++; };"
		    "k.onpointerup = (e) => { k.textContent = `${e.clientX < from ? 'left' : 'right'} ${moves > 3}`; from = undefined; };"
		    "</script>" },
	/* Fields that take files: plain, hidden behind a label, emptied by their script, enabled late. */
	{ "/files", "<!doctype html><input type=file id=a><label id=l>Choose<input type=file id=b style='display:none'></label>"
		    "<input type=file id=c><input type=file id=late disabled><input id=t><p id=p></p><script>"
		    "const show = async (f) => p.textContent = `${f.name} ${f.type} ${f.size} ${await f.text()}`;"
		    "for (const e of [a, b, c, late]) e.onchange = () => { show(e.files[0]); if (e === c) e.value = ''; };"
		    "setTimeout(() => late.disabled = false, 400);</script>" },
	{ "/text", "<!doctype html><div><div id=in style='text-transform:uppercase'>Book <b>Desk</b></div></div>"
		   "<p hidden>Book Desk twice</p><button aria-label='Close it'>x</button><label for=f>Your note</label>"
		   "<input id=f value='  held '><p class=n>one</p><p class=n>two</p><span id=lb>By label</span>"
		   "<div role=gridcell aria-labelledby=lb data-n=7>9</div><host-element></host-element><script>"
		   "document.querySelector('host-element').attachShadow({mode:'open'}).innerHTML = "
		   "'<button onclick=\"this.textContent = `shadow pressed`\">In the shadow</button>'</script>" },
	/* A field as React keeps one: the script's value is the truth, and what it did not hear of is put back. */
	{ "/owned", "<!doctype html><input id=f value=old><input id=mask><input id=ro readonly value=fixed>"
		    "<input id=deaf><textarea id=t>old\ntext</textarea><div id=ce contenteditable>old</div>"
		    "<input id=d type=date><input id=n type=number value=3><input id=pw type=password><p id=p></p><script>"
		    "let state = 'old', seen = 'old'; const own = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');"
		    "Object.defineProperty(f, 'value', { get() { return own.get.call(this); }, set(v) { seen = v; own.set.call(this, v); } });"
		    "f.addEventListener('input', () => { const v = own.get.call(f); if (v !== seen) { seen = v; state = v; } });"
		    "const render = () => { if (own.get.call(f) !== state) own.set.call(f, state); p.textContent = state + '|' + d.value; "
		    "requestAnimationFrame(render); }; render();"
		    "mask.oninput = () => { const n = mask.value.replace(/\\D/g, ''); mask.value = n && '(' + n.slice(0, 3) + ') ' + n.slice(3); };"
		    "deaf.oninput = () => deaf.value = '';</script>" },
	{ "/apps", "<!doctype html><button id=b onclick=\"p.textContent = 'pressed'\">Press</button><p id=p></p>"
		   "<iframe src='ms-teams:/l/x'></iframe><iframe src='http://b.test/app'></iframe><script>"
		   "setTimeout(() => { location = 'okta-verify://x' })</script>" },
	{ "/app", "<!doctype html><script>setTimeout(() => { location = 'tel:123' })</script>" },
	/* Buttons that wait for a key to be let go, for as many keys as characters, and for a change. */
	{ "/keys", "<!doctype html><input id=f><input id=g><input id=h><button id=a disabled>A</button><button id=b disabled>B</button>"
		   "<button id=c disabled>C</button><p id=p></p><p id=k></p><script>let downs = 0, log = [];"
		   "f.onkeyup = () => a.disabled = f.value !== 'Abc-1 \u00fc' || log.push('up') < 1;"
		   "f.onkeydown = (e) => { downs++; k.textContent += `${e.key}/${e.code}/${e.keyCode} `; };"
		   "g.onkeypress = (e) => { if (!/\\d/.test(e.key)) e.preventDefault(); };"
		   "g.onkeyup = (e) => b.disabled = !(e.keyCode >= 48 && e.keyCode <= 57);"
		   "h.onchange = () => c.disabled = false;"
		   "a.onclick = () => p.textContent = 'a ' + downs; b.onclick = () => p.textContent = 'b ' + g.value;"
		   "c.onclick = () => p.textContent = 'c';</script>" },
	{ "/select", "<!doctype html><select id=s><option value=''>none</option><option value=1>Floor  One</option>"
		     "<option value=2 disabled>Floor Two</option></select><p id=p></p><script>"
		     "s.onchange = () => p.textContent = 'chose ' + s.value;"
		     "setTimeout(() => s.add(new Option('Floor Three', '3')), 300)</script>" },
	{ "/rows", "<!doctype html><table>"
		   "<tr data-id=1><td class=d>Mon</td><td class=n>  A\n 1 </td></tr>"
		   "<tr data-id=2><td class=d>Tue</td></tr><tr hidden data-id=3><td class=d>Wed</td></tr></table>" },
	{ "/many", "<!doctype html><ul></ul><script>document.querySelector('ul').innerHTML = '<li>x'.repeat(1001)</script>" },
	/* What goes away just then: what is dragged, the page it is dropped on, and a box whose form is sent and comes back. */
	{ "/vanish", "<!doctype html><style>b{display:block;width:90px;height:50px}</style><b id=x onmousedown='this.remove()'>Gone</b>"
		     "<b id=y draggable=true>Leads on</b><b id=z>Place</b><form><input type=checkbox id=c name=c value=1></form><p id=p></p>"
		     "<script>c.checked = location.search === '?c=1'; c.onchange = () => c.form.submit(); z.onmouseup = () => p.textContent = 'let go';"
		     "z.ondragover = (e) => e.preventDefault(); z.ondrop = (e) => { e.preventDefault(); location.href = '/next'; };</script>" },
	{ "/crowd", "<!doctype html><div id=d></div><script>d.innerHTML = '<section><p><b>stall 7 of the market</b></p></section>'.repeat(16000)"
		    "</script>" },
	{ "/polls", "<!doctype html><p id=none>none</p><script>fetch('/news?token=s3cr3t')</script>" },
	{ "/popup", "<!doctype html><button onclick=\"window.open('/child', '', 'width=400,height=300')\">open</button>"
		    "<button id=late onclick=\"setTimeout(() => window.open('/child', '', 'width=400,height=300'), 700)\">open late</button>"
		    "<p id=p></p><script>onmessage = (e) => p.textContent = e.data</script>" },
	{ "/child", "<!doctype html><title>child</title><button id=done onclick=\"opener.postMessage('child says hello', '*');"
		    " window.close()\">Done</button>" },
	{ "/dialogs", "<!doctype html><button id=a onclick=\"alert('No desk is free: sorry'); p.textContent = 'after'\">alert</button>"
		      "<button id=c onclick=\"p.textContent = confirm('Sure?')\">confirm</button>"
		      "<button id=u onclick=\"onbeforeunload = (e) => e.preventDefault()\">stay</button><p id=p></p>" },
	{ "/frames", "<!doctype html><body style='margin:0'><div style='height:1500px'></div>"
		     "<div style='padding:40px;transform:translateX(30px)'><iframe src='http://b.test/outer' width=600 height=400 "
		     "style='border:7px solid'></iframe></div><div style='height:1500px'></div>" },
	{ "/outer", "<!doctype html><div style='height:900px'></div><iframe src='http://a.test/inner' width=400 height=200></iframe>"
		    "<button onclick=\"p.textContent = 'outer pressed'\">outer</button><p id=p></p>" },
	{ "/inner", "<!doctype html><div style='height:300px'></div><input id=f><button onclick=\"p.textContent = 'inner ' + f.value\">"
		    "inner</button><p id=p></p>" },
	{ "/same", "<!doctype html><div style='height:50px'></div><iframe src=/inner width=400 height=200></iframe>" },
	{ "/lingers", "<!doctype html><h1>Lingers</h1><script>onpagehide = () => { for (const t = Date.now(); Date.now() - t < 2600;); }</script>" },
	{ "/speaks", "<!doctype html><h1>Speaks</h1><script>onpagehide = () => 1;</script>" },
	{ "/hang", "<!doctype html><button onclick=\"for (;;);\">hang</button>" },
};

static char dialog_text[512];

static void on_dialog(void *owner, struct target *page, const struct cbor *params)
{
	CLEANUP(arena_freep) struct arena *own = arena_new(0);

	(void)owner;
	if (!params)
		return;
	snprintf(dialog_text, sizeof(dialog_text), "%s", cbor_get_utf8(own, params, "message"));
	cdp_send(browser_cdp(page->browser), page->session, "Page.handleJavaScriptDialog", CDP_BOOL("accept", false));
}

static struct wait *app_refused;
static bool any_app_refused;

static void on_app_refused(void *owner, const char *scheme)
{
	(void)owner, (void)scheme;
	any_app_refused = true;
	if (app_refused)
		wait_wake(app_refused, 0);
}

static void await_app(void)
{
	struct wait w = { 0 };

	app_refused = &w;
	if (!any_app_refused)
		assert_int_equal(wait_for(&w, deadline_in(10000)), 0);
	app_refused = NULL;
}

static const struct browser_events events = { .dialog = on_dialog, .app_refused = on_app_refused };

static void never_answer(struct evhttp_request *request, void *arg)
{
	(void)request, (void)arg; /* it stays open until the browser gives it up */
}

PAGES_RIG(pages, &events, evhttp_set_cb(rig.site, "/news", never_answer, NULL);)

static const char *missing(const char *json)
{
	return take(rig.browser, NULL, arena, STEP_END_MISSING, json).reason;
}

/* What an element shows by now. */
static void shows(const char *css, const char *value)
{
	ok(arena_printf(arena, "{\"step\": \"expect\", \"at\": {\"css\": \"%s\"}, \"value\": \"%s\"}", css, value));
}

PAGE_TEST(test_open)
{
	struct step_result r = ok("{\"step\": \"open\", \"url\": \"http://a.test/\"}");

	assert_string_equal(r.text, "http://a.test/");
	r = take(rig.browser, recipe, arena, STEP_END_FAILED, "{\"step\": \"open\", \"url\": \"http://a.test:1/\"}");
	assert_non_null(strstr(r.reason, "could not be opened"));
	r = take(rig.browser, recipe, arena, STEP_END_FAILED, "{\"step\": \"open\", \"url\": \"https://c.test/secret?token=1\"}");
	assert_non_null(strstr(r.reason, "recipe does not allow"));
	assert_null(strstr(r.reason, "token"));
	r = take(rig.browser, recipe, arena, STEP_END_EXPIRED, "{\"step\": \"open\", \"url\": \"http://a.test/login?x\"}");
	assert_non_null(strstr(r.reason, "Pages says that nobody is signed in"));
}

/* Asked, and nothing said for as long as the step waits, however short that is: the site's outage. */
PAGE_TEST(test_silent)
{
	static const int limits[] = { 1000, 500 };
	struct step_result r;

	browser_hear_answers(rig.browser, true); /* as a run's is, since its probe */
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		go(i ? "/speaks" : "/"); /* which takes longer to be left than the site is given */
		r = take(rig.browser, recipe, arena, STEP_END_DOWN,
			arena_printf(arena, "{\"step\": \"open\", \"url\": \"http://a.test/silent\", \"timeout_ms\": %d}", limits[i]));
		assert_non_null(strstr(r.reason, "Pages is not well: http://a.test/silent has not answered"));
	}
	browser_hear_answers(rig.browser, false);
}

/* A press that leads on is done once the next document is there, whichever way it leads. */
PAGE_TEST(test_follow)
{
	static const char *const ways[] = { "{\"css\": \"a\"}", "{\"text\": \"send\"}", "{\"css\": \"#js\"}" };

	for (size_t i = 0; i < 3; i++) {
		go("/");
		ok(arena_printf(arena, "{\"step\": \"click\", \"at\": %s}", ways[i]));
		assert_string_equal(ok("{\"step\": \"read\", \"at\": {\"css\": \"h1\"}, \"timeout_ms\": 1}").text, "Next");
	}
	go("/");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#later\"}}");
	ok("{\"step\": \"wait_for\", \"page\": \"http://a.test/next*\"}");
	go("/");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#later\"}}");
	shows("h1", "Next");
	go("/");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#push\"}}");
	ok("{\"step\": \"wait_for\", \"page\": \"http://a.test/pushed\", \"timeout_ms\": 1000}");
	assert_non_null(strstr(missing("{\"step\": \"wait_for\", \"page\": \"http://a.test/x\", \"timeout_ms\": 2000}"), "/pushed"));
}

/* Led to the sign-in page, a step does not sit its time out. */
PAGE_TEST(test_expired_early)
{
	int64_t began = loop_now();

	go("/");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#out\"}}");
	take(rig.browser, recipe, arena, STEP_END_EXPIRED, "{\"step\": \"click\", \"at\": {\"css\": \"#never\"}, \"timeout_ms\": 20000}");
	assert_true(loop_now() - began < 15000);
}

PAGE_TEST(test_press)
{
	go("/late");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#b\"}}");
	shows("#p", "pressed");
	go("/covered");
	assert_non_null(strstr(missing("{\"step\": \"click\", \"at\": {\"css\": \"#b\"}, \"timeout_ms\": 2000}"), "covered"));
	go("/covered?soon");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#b\"}}");
	shows("#p", "pressed");
	go("/moving");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#b\"}}");
	shows("#p", "pressed");
	go("/far");
	ok("{\"step\": \"click\", \"at\": {\"text\": \"Far away\"}}");
	shows("#p", "pressed");
}

/* What shows only under the mouse stays there for the steps after it, and nothing has been pressed. */
PAGE_TEST(test_hover)
{
	go("/menu");
	missing("{\"step\": \"wait_for\", \"at\": {\"text\": \"Entry\"}, \"timeout_ms\": 500}");
	ok("{\"step\": \"hover\", \"at\": {\"css\": \"#b\"}}");
	ok("{\"step\": \"wait_for\", \"at\": {\"text\": \"Entry\"}}");
	shows("#p", "over");
	ok("{\"step\": \"click\", \"at\": {\"text\": \"Entry\"}}");
	shows("#q", "chosen");
	assert_non_null(strstr(missing("{\"step\": \"hover\", \"at\": {\"css\": \"#d\"}, \"timeout_ms\": 2000}"), "disabled"));
	missing("{\"step\": \"hover\", \"at\": {\"css\": \"#never\"}, \"timeout_ms\": 300}");
}

PAGE_TEST(test_double_click)
{
	go("/chords");
	ok("{\"step\": \"double_click\", \"at\": {\"css\": \"#t\"}}");
	shows("#q", "2 2 true");
	missing("{\"step\": \"double_click\", \"at\": {\"css\": \"#never\"}, \"timeout_ms\": 300}");
}

/* Keys go where the focus is, or to an element, whose text stays as it is; one that submits is followed like a press. */
PAGE_TEST(test_press_keys)
{
	go("/chords");
	ok("{\"step\": \"press\", \"keys\": \"Control+Shift+Z\", \"at\": {\"css\": \"#d\"}}");
	shows("#p", "CControl/ControlLeft@d CSShift/ShiftLeft@d CSZ/KeyZ@d");
	ok("{\"step\": \"press\", \"keys\": \"End\", \"at\": {\"css\": \"#f\"}}");
	ok("{\"step\": \"press\", \"keys\": \"?\"}");
	ok("{\"step\": \"press\", \"keys\": \"Space\"}");
	ok("{\"step\": \"press\", \"keys\": \"Shift+x\"}");
	shows("#f", "held? X");
	ok("{\"step\": \"press\", \"keys\": \"Control+a\"}");
	ok("{\"step\": \"press\", \"keys\": \"Delete\"}");
	shows("#f", "");
	assert_non_null(strstr(missing("{\"step\": \"press\", \"keys\": \"Enter\", \"at\": {\"css\": \"#no\"}}"), "does not take the focus"));
	ok("{\"step\": \"press\", \"keys\": \"Enter\", \"at\": {\"css\": \"#f\"}}");
	assert_string_equal(ok("{\"step\": \"read\", \"at\": {\"css\": \"h1\"}, \"timeout_ms\": 1}").text, "Next");
	go("/frames");
	ok("{\"step\": \"press\", \"keys\": \"7\", \"at\": {\"css\": \"#f\", \"frame\": \"http://a.test/inner\"}}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#f\", \"frame\": \"http://a.test/inner\"}, \"value\": \"7\"}");
}

static const char *tick(const char *css, bool off)
{
	return ok(arena_printf(arena, "{\"step\": \"check\", \"at\": {\"css\": \"%s\"}, \"off\": %s}", css, off ? "true" : "false")).text;
}

/* Whatever it is made of it is pressed at most once, and not at all where it is right already. */
PAGE_TEST(test_check)
{
	static const char *const boxes[] = { "#a", "#l", "#s", "#c", "#w" };

	go("/boxes");
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(tick(boxes[i], false), "off");
		assert_string_equal(tick(boxes[i], false), "on");
	}
	shows("#p", "a b s c");
	assert_string_equal(tick("#w", true), "on"); /* what is drawn around it stands for it */
	assert_string_equal(tick("#w", true), "off");
	shows("#p", "a b s c c");
	assert_string_equal(tick("#late", false), "off");
	assert_string_equal(tick("#r2", false), "off");
	assert_string_equal(tick("#r1", false), "off");
	assert_string_equal(tick("#r1", false), "on");
	assert_non_null(strstr(missing("{\"step\": \"check\", \"at\": {\"css\": \"#r1\"}, \"off\": true}"),
		"radio button, which no press takes its mark from"));
	assert_non_null(strstr(missing("{\"step\": \"check\", \"at\": {\"css\": \"#p\"}}"), "no box that can be ticked"));
	assert_non_null(strstr(missing("{\"step\": \"check\", \"at\": {\"css\": \"#n\"}, \"timeout_ms\": 1500}"),
		"pressed once and is still off"));
	shows("#p", "a b s c c n");
}

PAGE_TEST(test_drag)
{
	go("/drags");
	ok("{\"step\": \"drag\", \"at\": {\"css\": \"#x\"}, \"to\": {\"css\": \"#y\"}}");
	shows("#y", "the card true");
	ok("{\"step\": \"drag\", \"at\": {\"css\": \"#k\"}, \"to\": {\"css\": \"#x\"}}");
	shows("#k", "left true");
	assert_non_null(strstr(missing("{\"step\": \"drag\", \"at\": {\"css\": \"#x\"}, \"to\": {\"css\": \"#never\"}, \"timeout_ms\": 300}"),
		"#never is not there"));
	assert_non_null(strstr(missing("{\"step\": \"drag\", \"at\": {\"css\": \"#x\"}, \"to\": {\"css\": \"#z\"}, \"timeout_ms\": 5000}"),
		"#x and #z are not in view at once"));
}

/* What an input takes away is no failure of the step that gave it. */
PAGE_TEST(test_gone_midway)
{
	static const char *const ways[] = { "{\"step\": \"double_click\", \"at\": {\"css\": \"#done\"}}",
		"{\"step\": \"press\", \"keys\": \"Enter\", \"at\": {\"css\": \"#done\"}}" };

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		go("/popup");
		ok("{\"step\": \"click\", \"at\": {\"text\": \"open\"}}");
		ok("{\"step\": \"wait_for\", \"page\": \"http://a.test/child\"}");
		ok(ways[i]);
		shows("#p", "child says hello");
	}
	go("/vanish");
	ok("{\"step\": \"drag\", \"at\": {\"css\": \"#x\"}, \"to\": {\"css\": \"#z\"}}");
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"#x\"}, \"gone\": true}");
	assert_string_equal(tick("#c", false), "off");
	ok("{\"step\": \"wait_for\", \"page\": \"http://a.test/vanish?c=1\", \"timeout_ms\": 1}");
	assert_string_equal(tick("#c", false), "on");
	ok("{\"step\": \"drag\", \"at\": {\"css\": \"#y\"}, \"to\": {\"css\": \"#z\"}}");
	assert_string_equal(ok("{\"step\": \"read\", \"at\": {\"css\": \"h1\"}, \"timeout_ms\": 1}").text, "Next");
}

static struct step_result give_file(enum step_end want, const char *css)
{
	return take(rig.browser, NULL, arena, want, arena_printf(arena, "{\"step\": \"upload\", \"at\": {\"css\": \"%s\"}, \"timeout_ms\": 2000,"
		"\"file\": {\"name\": \"d\u00e9s.csv\", \"type\": \"text/csv\", \"text\": \"a;b\\n\u00fc;2\"}}", css));
}

PAGE_TEST(test_upload)
{
	static const char *const fields[] = { "#a", "#l", "#b", "#c", "#late" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		go("/files");
		give_file(STEP_END_DONE, fields[i]);
		shows("#p", "d\u00e9s.csv text/csv 8 a;b \u00fc;2");
	}
	assert_non_null(strstr(give_file(STEP_END_MISSING, "#t").reason, "no field that takes files"));
	missing("{\"step\": \"upload\", \"at\": {\"css\": \"#never\"}, \"file\": {\"name\": \"a\", \"text\": \"b\"}, \"timeout_ms\": 300}");
}

PAGE_TEST(test_selectors)
{
	go("/text");
	assert_string_equal(ok("{\"step\": \"read\", \"at\": {\"text\": \"Book Desk\"}}").text, "BOOK DESK");
	missing("{\"step\": \"wait_for\", \"at\": {\"text\": \"Book Desk twice\"}, \"timeout_ms\": 200}");
	ok("{\"step\": \"wait_for\", \"at\": {\"text\": \"Book Desk\", \"exact\": true}}");
	ok("{\"step\": \"wait_for\", \"at\": {\"role\": \"button\", \"name\": \"Close it\"}}");
	assert_string_equal(ok("{\"step\": \"read\", \"at\": {\"name\": \"Your note\"}}").text, "held");
	assert_string_equal(ok("{\"step\": \"read\", \"at\": {\"css\": \".n\", \"nth\": 2}}").text, "two");
	assert_string_equal(
		ok("{\"step\": \"read\", \"at\": {\"role\": \"gridcell\", \"name\": \"By label\"}, \"attribute\": \"data-n\"}").text, "7");
	assert_non_null(strstr(missing("{\"step\": \"wait_for\", \"at\": {\"css\": \".n\", \"nth\": 3}, \"timeout_ms\": 2000}"), "is not there"));
	ok("{\"step\": \"click\", \"at\": {\"text\": \"In the shadow\"}}");
	ok("{\"step\": \"wait_for\", \"at\": {\"text\": \"shadow pressed\"}}");
	ok("{\"step\": \"wait_for\", \"at\": {\"css\": \"#never\"}, \"gone\": true}");
	missing("{\"step\": \"wait_for\", \"at\": {\"css\": \"#in\"}, \"gone\": true, \"timeout_ms\": 200}");
	assert_non_null(strstr(missing("{\"step\": \"expect\", \"at\": {\"css\": \"#in\"}, \"value\": \"x\", \"timeout_ms\": 2000}"), "BOOK DESK"));
}

/* Links that would open an app, from the page and its frames, keep no press from it. */
PAGE_TEST(test_app_links)
{
	go("/apps");
	await_app(); /* by then Chromium would have asked */
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#b\"}}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"pressed\"}");
	go("/apps");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#b\"}}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"pressed\"}");
}

/* What is written comes as keys do: each goes down, types, and is let go. */
PAGE_TEST(test_fill_keys)
{
	go("/keys");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#f\"}, \"value\": \"Abc-1 \u00fc\"}");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#a\"}}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"a 7\"}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#k\"}, \"value\": \"A/KeyA/65 b/KeyB/66 c/KeyC/67 -/Minus/189 1/Digit1/49 /Space/32 "
		"Process//229\"}");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#g\"}, \"value\": \"042\"}");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#b\"}}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"b 042\"}");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#h\"}, \"value\": \"x\"}");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#c\"}}");
	ok("{\"step\": \"expect\", \"at\": {\"css\": \"#p\"}, \"value\": \"c\"}");
}

/* However many fit, to find the one that is meant takes no longer than a person would wait. */
PAGE_TEST(test_crowd)
{
	int64_t began;

	go("/crowd");
	began = loop_now();
	ok("{\"step\": \"read\", \"at\": {\"text\": \"of the market\", \"nth\": 900}}");
	assert_true(loop_now() - began < 5000);
	began = loop_now();
	missing("{\"step\": \"wait_for\", \"at\": {\"css\": \"div:has(section):has(p):has(b):has(i), section:has(b:has(i)), p:not(:has(b))\"}, \"timeout_ms\": 300}");
	assert_true(loop_now() - began < 5000);
}

PAGE_TEST(test_fill)
{
	go("/owned");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#f\"}, \"value\": \"nächste Woche\"}");
	shows("#p", "nächste Woche|");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#f\"}, \"value\": \"\"}");
	shows("#p", "|");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#mask\"}, \"value\": \"030123456\"}");
	shows("#mask", "(030) 123456");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#t\"}, \"value\": \"one line\"}");
	shows("#t", "one line");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#ce\"}, \"value\": \"new\"}");
	shows("#ce", "new");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#d\"}, \"value\": \"2026-11-21\"}");
	shows("#p", "|2026-11-21");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#n\"}, \"value\": \"42\"}");
	shows("#n", "42");
	ok("{\"step\": \"fill\", \"at\": {\"css\": \"#pw\"}, \"value\": \"secret one\"}");
	assert_non_null(strstr(missing("{\"step\": \"fill\", \"at\": {\"css\": \"#ro\"}, \"value\": \"x\", \"timeout_ms\": 2000}"), "read-only"));
	assert_non_null(strstr(missing("{\"step\": \"fill\", \"at\": {\"css\": \"#deaf\"}, \"value\": \"x\"}"), "holds \"\""));
	assert_non_null(strstr(missing("{\"step\": \"fill\", \"at\": {\"css\": \"#p\"}, \"value\": \"x\"}"), "no field"));
}

PAGE_TEST(test_choose)
{
	go("/select");
	ok("{\"step\": \"choose\", \"at\": {\"css\": \"#s\"}, \"value\": \"Floor One\"}");
	shows("#p", "chose 1");
	ok("{\"step\": \"choose\", \"at\": {\"css\": \"#s\"}, \"value\": \"3\"}");
	shows("#p", "chose 3");
	shows("#s", "Floor Three");
	assert_non_null(strstr(missing("{\"step\": \"choose\", \"at\": {\"css\": \"#s\"}, \"value\": \"Floor Two\", \"timeout_ms\": 2000}"), "no option"));
	missing("{\"step\": \"choose\", \"at\": {\"css\": \"#p\"}, \"value\": \"1\", \"timeout_ms\": 300}");
}

PAGE_TEST(test_read)
{
	struct step_result r;

	go("/rows");
	r = ok("{\"step\": \"read\", \"at\": {\"css\": \"tr\"}, \"all\": true, \"cells\": [{\"name\": \"day\", \"css\": \".d\"},"
	       "{\"name\": \"desk\", \"css\": \".n\"}, {\"name\": \"id\", \"attribute\": \"data-id\"}]}");
	assert_int_equal(r.row_count, 2);
	assert_string_equal(r.rows[0].cells[0].value, "Mon");
	assert_string_equal(r.rows[0].cells[1].value, "A 1");
	assert_null(r.rows[1].cells[1].value);
	assert_string_equal(r.rows[1].cells[2].value, "2");
	r = ok("{\"step\": \"read\", \"at\": {\"css\": \".none\"}, \"all\": true, \"cells\": [{\"name\": \"a\"}]}");
	assert_int_equal(r.row_count, 0);
	go("/many");
	r = take(rig.browser, NULL, arena, STEP_END_FAILED,
		"{\"step\": \"read\", \"at\": {\"css\": \"li\"}, \"all\": true, \"cells\": [{\"name\": \"a\"}]}");
	assert_non_null(strstr(r.reason, "1001"));
}

#define READ_POLLS "{\"step\": \"read\", \"at\": {\"css\": \"li\"}, \"all\": true, \"cells\": [{\"name\": \"a\"}], \"timeout_ms\": 1000," \
	"\"none\": {\"css\": \"#none\"}"

/* What a page leaves open as long as it stands could be the list, and only the recipe knows that it is not. */
PAGE_TEST(test_long_poll)
{
	browser_hear_answers(rig.browser, true);
	go("/polls");
	assert_non_null(strstr(missing(READ_POLLS "}"), "it is still fetching http://a.test/news, which it asked for before; if it always leaves "
		"that open, name it in the recipe, in the list's long_polls"));
	assert_non_null(missing(READ_POLLS ", \"long_polls\": [\"http://a.test/olds*\"]}"));
	assert_int_equal(ok(READ_POLLS ", \"long_polls\": [\"http://a.test/olds*\", \"http://a.test/news*\"]}").row_count, 0);
	browser_hear_answers(rig.browser, false);
}

PAGE_TEST(test_popup)
{
	go("/popup");
	ok("{\"step\": \"click\", \"at\": {\"text\": \"open\", \"exact\": true}}");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#done\"}}");
	shows("#p", "child says hello");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#late\"}}");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#done\"}}");
	ok("{\"step\": \"wait_for\", \"at\": {\"text\": \"open late\"}}");
}

PAGE_TEST(test_dialogs)
{
	go("/dialogs");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#a\"}}");
	shows("#p", "after");
	assert_string_equal(dialog_text, "No desk is free: sorry");
	ok("{\"step\": \"click\", \"at\": {\"css\": \"#c\"}}");
	shows("#p", "false");
}

#define INNER "\"frame\": \"http://a.test/inner\""

PAGE_TEST(test_frames)
{
	go("/frames");
	ok("{\"step\": \"click\", \"at\": {\"frame\": \"http://b.test/*\", \"text\": \"outer\"}}");
	ok("{\"step\": \"expect\", \"at\": {\"frame\": \"http://b.test/*\", \"css\": \"#p\"}, \"value\": \"outer pressed\"}");
	ok("{\"step\": \"fill\", \"at\": {" INNER ", \"css\": \"#f\"}, \"value\": \"deep\"}");
	ok("{\"step\": \"click\", \"at\": {" INNER ", \"role\": \"button\"}}");
	ok("{\"step\": \"expect\", \"at\": {" INNER ", \"css\": \"#p\"}, \"value\": \"inner deep\"}");
	assert_non_null(strstr(missing("{\"step\": \"click\", \"at\": {\"frame\": \"http://c.test/*\", \"css\": \"a\"}, \"timeout_ms\": 2000}"), "no frame"));
	ok("{\"step\": \"wait_for\", \"at\": {\"frame\": \"http://c.test/*\", \"css\": \"a\"}, \"gone\": true}");
	go("/same");
	ok("{\"step\": \"fill\", \"at\": {" INNER ", \"css\": \"#f\"}, \"value\": \"near\"}");
	ok("{\"step\": \"click\", \"at\": {" INNER ", \"role\": \"button\"}}");
	ok("{\"step\": \"read\", \"at\": {" INNER ", \"text\": \"inner near\"}}");
}

/* The last: a page that hangs is told from one that is slow, and its browser can still be ended. */
/* How long a page takes to go is no time of the next one's. */
PAGE_TEST(test_lingers)
{
	go("/lingers");
	ok("{\"step\": \"open\", \"url\": \"http://a.test/next\", \"timeout_ms\": 2000}");
}

PAGE_TEST(test_hang)
{
	struct step_result r;

	go("/hang");
	r = take(rig.browser, NULL, arena, STEP_END_FAILED, "{\"step\": \"click\", \"at\": {\"text\": \"hang\"}, \"timeout_ms\": 500}");
	assert_non_null(strstr(r.reason, "hangs"));
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_expired_early),
		cmocka_unit_test(test_press),
		cmocka_unit_test(test_hover),
		cmocka_unit_test(test_double_click),
		cmocka_unit_test(test_press_keys),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_drag),
		cmocka_unit_test(test_gone_midway),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_fill_keys),
		cmocka_unit_test(test_app_links),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_long_poll),
		cmocka_unit_test(test_popup),
		cmocka_unit_test(test_dialogs),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_lingers),
		cmocka_unit_test(test_hang),
	};

	rig_drop_user();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
