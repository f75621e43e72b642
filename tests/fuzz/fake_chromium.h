/*
 * Chromium as its worst: it answers what streamd asks over the socket by a small grammar, with the names that streamd's
 * code reads, and lies as the bytes say. No byte left: it answers as it should a while longer, and then it is gone.
 *
 * An answer or an event is a shape, text such as "{frame:{id:$T,url:$u},list:[$d$d]}", whose atoms ($T: the id of a
 * target or a frame ...) are chosen by the bytes; then any of its values may be another one. 'text', #7 and %NAN stand for
 * themselves. A test may answer by a script of its own.
 */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/arena.h"
#include "common/cbor.h"
#include "common/cbor_out.h"
#include "common/loop.h"

#define FAKE_MOST_ANSWERS 300 /* of one run */
#define FAKE_LAST_ANSWERS 40  /* of them once there is no byte left */
#define FAKE_MOST_LIES    3   /* in one answer */

struct fake {
	struct bufferevent *pipe; /* NULL: it has gone */
	const uint8_t *data;
	size_t left;
	int answers, last_answers;
	struct cbor_out *out;
	bool (*script)(int64_t id, const char *session, const char *method); /* true: it has answered, or will not */
	int unique; /* ids that no other target has */
	int value, lie_at[FAKE_MOST_LIES], lie[FAKE_MOST_LIES]; /* value: number of the one being written */
};

static struct fake fake;

#define FAKE_COUNT(list_) (sizeof(list_) / sizeof(*(list_)))
#define LONG40 "0123456789abcdef0123456789abcdef01234567"

static unsigned fake_byte(void)
{
	if (!fake.left)
		return 0;
	fake.left--;
	return *fake.data++;
}

static const char *fake_pick(const char *const *list, size_t count)
{
	return list[fake_byte() % count];
}

static const char *const fake_targets[] = { "T0", "T1", "T2", "T3", "F0", "F1", LONG40 LONG40, "", LONG40 "1234567",
	LONG40 "1234567Z" };
static const char *const fake_sessions[] = { "S0", "S1", "S2", "S3", "", LONG40 LONG40, LONG40 "1234567", LONG40 "1234567Z" };
static const char *const fake_urls[] = { "https://desk.test/finder", "https://desk.test/login?code=secret", "https://sso.test/",
	"about:blank", "", "https://widgets.test/frame", "file:///etc/passwd", "data:text/html,\xe2\x80\xae",
	"https://\"><script>/" };
static const char *const fake_origins[] = { "https://desk.test", "https://sso.test", "https://widgets.test", "null", "",
	"https://x\"><script>1</script>", "://", LONG40 };
static const char *const fake_keys[] = { "https://desk.test/", "https://sso.test/", "https://widgets.test/^0https://desk.test", "" };
static const char *const fake_kinds[] = { "page", "iframe", "worker", "" };
static const char *const fake_words[] = { "ann@desk.test", "text", "set", "select", "alert", "prompt", "beforeunload", "",
	"\xe2\x80\xae\x1b[31m\n", LONG40 LONG40 LONG40 LONG40 LONG40 LONG40 LONG40 LONG40 "\xc3\xa4" };
static const char *const fake_payloads[] = { "{\"menu\":1,\"options\":[{\"label\":\"a\"},{\"label\":\"\",\"heading\":true}]}",
	"{\"closed\":1}", "{\"copied\":\"words\"}", "{\"menu\":2,\"options\":7}", "{\"menu\":1e99,\"options\":[1,[],{}]}",
	"{\"copied\":\"\"}", "[", "{\"closed\":\"1\"}", "{\"menu\":3,\"options\":[]}", "" };
static const double fake_doubles[] = { 10, 0, -1, 1e300, -1e300, NAN, INFINITY, 0.5, 20000 };

static void fake_put_long(size_t n)
{
	static char text[70000];

	if (!text[0])
		for (size_t i = 0; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa4", 2);
	cbor_put_text_n(fake.out, text, n & ~(size_t)1);
}

static void fake_put_deep(void)
{
	for (int i = 0; i < 20; i++) {
		cbor_cdp_map_begin(fake.out);
		cbor_put_text(fake.out, i % 2 ? "frameTree" : "childFrames");
	}
	cbor_put_null(fake.out);
	for (int i = 0; i < 20; i++)
		cbor_cdp_map_end(fake.out);
}

/* What stands in the place of a value. */
static void fake_put_lie(int lie)
{
	switch (lie % 16) {
	case 1: cbor_put_int(fake.out, -1); break;
	case 2: cbor_put_int(fake.out, INT64_MAX); break;
	case 3: cbor_put_double(fake.out, NAN); break;
	case 4: cbor_put_double(fake.out, -INFINITY); break;
	case 5: cbor_put_double(fake.out, 1e300); break;
	case 6: cbor_put_text(fake.out, ""); break;
	case 7: fake_put_long(69998); break;
	case 8: cbor_put_array(fake.out, 0); break;
	case 9: cbor_put_map(fake.out, 0); break;
	case 10: cbor_put_bytes(fake.out, "a\0\0\xd8.\x20" "b\0\7", 10); break; /* UTF-16LE, with a lone surrogate */
	case 11: fake_put_deep(); break;
	case 12: cbor_put_text(fake.out, "T0"); break;
	case 13: cbor_put_bytes(fake.out, "\xff\xfe\x00", 3); break;
	case 14: cbor_put_bool(fake.out, true); break;
	case 15: cbor_put_int(fake.out, INT64_MIN); break;
	default: cbor_put_null(fake.out); break;
	}
}

/* A member that is not there at all. */
static bool fake_leaves_out(void)
{
	for (int i = 0; i < FAKE_MOST_LIES; i++)
		if (fake.lie_at[i] == fake.value + 1 && fake.lie[i] == 255)
			return true;
	return false;
}

static bool fake_lies_here(void)
{
	int here = fake.value++;

	for (int i = 0; i < FAKE_MOST_LIES; i++) {
		if (fake.lie_at[i] != here + 1)
			continue;
		fake_put_lie(fake.lie[i]);
		return true;
	}
	return false;
}

static void fake_put_atom(char kind)
{
	char id[16];

	switch (kind) {
	case 'U':
	case 'V':
		snprintf(id, sizeof(id), "%c%d", kind, kind == 'U' ? ++fake.unique : fake.unique);
		cbor_put_text(fake.out, id);
		break;
	case 'T': cbor_put_text(fake.out, fake_pick(fake_targets, FAKE_COUNT(fake_targets))); break;
	case 'S': cbor_put_text(fake.out, fake_pick(fake_sessions, FAKE_COUNT(fake_sessions))); break;
	case 'u': cbor_put_text(fake.out, fake_pick(fake_urls, FAKE_COUNT(fake_urls))); break;
	case 'o': cbor_put_text(fake.out, fake_pick(fake_origins, FAKE_COUNT(fake_origins))); break;
	case 'K': cbor_put_text(fake.out, fake_pick(fake_keys, FAKE_COUNT(fake_keys))); break;
	case 'k': cbor_put_text(fake.out, fake_pick(fake_kinds, FAKE_COUNT(fake_kinds))); break;
	case 't': cbor_put_text(fake.out, fake_pick(fake_words, FAKE_COUNT(fake_words))); break;
	case 'j': cbor_put_text(fake.out, fake_pick(fake_payloads, FAKE_COUNT(fake_payloads))); break;
	case 'd': cbor_put_double(fake.out, fake_doubles[fake_byte() % FAKE_COUNT(fake_doubles)]); break;
	case 'i': cbor_put_int(fake.out, fake_byte() % 8); break;
	case 'b': cbor_put_bool(fake.out, fake_byte() & 1); break;
	case 'w': cbor_put_text(fake.out, "steadTell"); break;
	case 'y': cbor_put_binary(fake.out, "\xff\xd8\xff\xd9", 4); break;
	default: abort();
	}
}

/* Passes over a value of a shape. */
static const char *fake_skip(const char *s)
{
	int depth = 0;

	do {
		depth += (*s == '{' || *s == '[') - (*s == '}' || *s == ']');
		s += *s == '$' ? 2 : *s == '\'' ? strcspn(s + 1, "'") + 2 : *s == '#' || *s == '%' ? 1 + strcspn(s + 1, ",]}$'#%") : 1;
	} while (depth > 0);
	return s;
}

static const char *fake_put_shape(const char *s);

static const char *fake_put_map(const char *s)
{
	cbor_cdp_map_begin(fake.out);
	while (*s != '}') {
		size_t n = strcspn(s, ":");
		bool left_out = fake_leaves_out();
		if (!left_out)
			cbor_put_text_n(fake.out, s, n);
		s = left_out ? fake_skip(s + n + 1) : fake_put_shape(s + n + 1);
		fake.value += left_out;
		s += *s == ',';
	}
	cbor_cdp_map_end(fake.out);
	return s + 1;
}

static const char *fake_put_list(const char *s)
{
	cbor_cdp_array_begin(fake.out);
	while (*s != ']')
		s = fake_put_shape(s);
	cbor_cdp_array_end(fake.out);
	return s + 1;
}

static const char *fake_put_literal(const char *s)
{
	size_t n = *s == '\'' ? strcspn(s + 1, "'") : strcspn(s + 1, ",]}$'#%");

	if (*s == '\'')
		cbor_put_text_n(fake.out, s + 1, n);
	else if (*s == '#')
		cbor_put_int(fake.out, strtoll(s + 1, NULL, 10));
	else
		cbor_put_double(fake.out, strtod(s + 1, NULL));
	return s + 1 + n + (*s == '\'');
}

/* Writes the value that s begins with, or what the bytes want in its place; returns what stands behind it. */
static const char *fake_put_shape(const char *s)
{
	if (fake_lies_here())
		return fake_skip(s);
	if (*s == '{')
		return fake_put_map(s + 1);
	if (*s == '[')
		return fake_put_list(s + 1);
	if (*s != '$')
		return fake_put_literal(s);
	fake_put_atom(s[1]);
	return s + 2;
}

static void fake_choose_lies(void)
{
	fake.value = 0;
	memset(fake.lie_at, 0, sizeof(fake.lie_at));
	for (int i = 0; i < FAKE_MOST_LIES; i++) {
		fake.lie_at[i] = (int)fake_byte();
		if (!fake.lie_at[i])
			return;
		fake.lie[i] = (int)fake_byte();
	}
}

/* What was written goes out; what was written badly (text that is half a character) goes out as nothing. */
static void fake_send(void)
{
	const uint8_t *bytes;
	size_t n;

	if (fake.pipe && cbor_out_finish(fake.out, &bytes, &n) == 0)
		bufferevent_write(fake.pipe, bytes, n);
	cbor_out_reset(fake.out);
}

static void fake_end(void)
{
	if (fake.pipe)
		bufferevent_free(fake.pipe);
	fake.pipe = NULL;
}

struct fake_shape {
	const char *method, *shape;
};

#define FRAME(more_) "{frame:{id:$T,url:$u,securityOrigin:$o},childFrames:[" more_ "]}"

static const struct fake_shape fake_answers[] = {
	{ "Page.getFrameTree", "{frameTree:" FRAME(FRAME("") FRAME(FRAME(""))) "}" },
	{ "Page.navigate", "{frameId:$T,loaderId:$t}" },
	{ "Page.createIsolatedWorld", "{executionContextId:$i}" },
	{ "Page.captureScreenshot", "{data:$y}" },
	{ "Runtime.callFunctionOn", "{result:{value:{which:$i,text:$t,x:$d,y:$d,rows:[[$t$t][$t$t]],kind:$t,held:$t,"
		"local:[[$t$t]],session:[[$t$t]],notPortable:[{database:$t,store:$t,reason:$t}]}}}" },
	{ "Runtime.evaluate", "{result:{objectId:$t}}" },
	{ "DOM.getFrameOwner", "{backendNodeId:$i}" },
	{ "DOM.getBoxModel", "{model:{content:[$d$d$d$d$d$d$d$d],border:[$d$d$d$d$d$d$d$d]}}" },
	{ "Storage.getCookies", "{cookies:[{name:$t,value:$t,domain:$o,path:$t,expires:$d,session:$b}]}" },
	{ "Storage.getStorageKey", "{storageKey:$K}" },
	{ "Target.createTarget", "{targetId:$T}" },
	{ "Target.createBrowserContext", "{browserContextId:$t}" },
	{ "Storage.setCookies", "{}" },
	{ "Input.insertText", "{}" },
	{ "Runtime.runIfWaitingForDebugger", "{}" },
	{ NULL, "{}" },
};

static const struct fake_shape *fake_shape_of(const char *method)
{
	const struct fake_shape *a = fake_answers;

	while (a->method && strcmp(a->method, method) != 0)
		a++;
	return a;
}

static const struct fake_shape fake_events[] = {
	{ "Target.attachedToTarget", "{sessionId:$S,targetInfo:{targetId:$T,type:$k,url:$u,title:$t,openerId:$T,parentFrameId:$T}}" },
	{ "Target.detachedFromTarget", "{sessionId:$S}" },
	{ "Target.targetInfoChanged", "{targetInfo:{targetId:$T,url:$u,title:$t}}" },
	{ "Target.targetCrashed", "{targetId:$T}" },
	{ "Inspector.targetCrashed", "{}" },
	{ "Inspector.targetReloadedAfterCrash", "{}" },
	{ "Page.frameNavigated", "{frame:{id:$T,url:$u,urlFragment:$t,loaderId:$w}}" },
	{ "Page.navigatedWithinDocument", "{frameId:$T,url:$u}" },
	{ "Page.frameStartedLoading", "{frameId:$T}" },
	{ "Page.frameStoppedLoading", "{frameId:$T}" },
	{ "Page.loadEventFired", "{}" },
	{ "Page.domContentEventFired", "{}" },
	{ "Page.frameRequestedNavigation", "{}" },
	{ "Page.javascriptDialogOpening", "{type:$t,message:$t,defaultPrompt:$t,url:$u}" },
	{ "Page.javascriptDialogClosed", "{}" },
	{ "Page.screencastFrame", "{data:$y,sessionId:$i,metadata:{deviceWidth:$d,deviceHeight:$d,offsetTop:$d,pageScaleFactor:$d,timestamp:$d}}" },
	{ "Runtime.bindingCalled", "{name:$w,payload:$j,executionContextId:$i}" },
	{ "Fetch.requestPaused", "{requestId:$t,request:{url:$u}}" },
	{ "Network.requestWillBeSent", "{requestId:$w,loaderId:$w,frameId:$T,type:'Document'}" },
	{ "Network.responseReceived",
		"{requestId:$w,loaderId:$w,frameId:$T,type:'Document',response:{url:$u,status:#503,headers:{refresh:$t}}}" },
	{ "Network.loadingFailed", "{requestId:$w,errorText:$t}" },
	{ "Network.deviceBoundSessionsAdded", "{sessions:[{key:{site:$t,id:$t}}]}" },
	{ "Fetch.authRequired", "{requestId:$t,request:{url:$u},authChallenge:{source:$t,origin:$u,scheme:$t,realm:$t}}" },
	{ "Page.frameStartedNavigating", "{frameId:$T,url:$u,navigationType:$t}" },
	{ "Page.frameNavigated", "{frame:{id:$T,url:$u,unreachableUrl:$u}}" },
	{ "Page.frameRequestedNavigation", "{frameId:$T,url:$u}" },
	{ "Page.fileChooserOpened", "{}" },
	{ "Browser.downloadWillBegin", "{url:$u,suggestedFilename:$t}" },
};

static void fake_put_session(const char *session)
{
	if (!*session)
		return;
	cbor_put_text(fake.out, "sessionId");
	cbor_put_text(fake.out, session);
}

static void fake_event_of(const struct fake_shape *event, const char *session)
{
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "method");
	cbor_put_text(fake.out, event->method);
	fake_put_session(session);
	cbor_put_text(fake.out, "params");
	fake_put_shape(event->shape);
	cbor_cdp_map_end(fake.out);
	fake_send();
}

/* Once; or, and then it is one with ids of its own, as often as a page that means to be a storm. */
static void fake_event(void)
{
	unsigned which = fake_byte();
	const struct fake_shape *event = &fake_events[which % FAKE_COUNT(fake_events)];
	const char *session = fake_pick(fake_sessions, FAKE_COUNT(fake_sessions));

	fake_choose_lies();
	for (int i = 0; which >= 250 && i < 100; i++)
		fake_event_of(&(const struct fake_shape){ "Target.attachedToTarget",
			"{targetInfo:{targetId:$U,type:$k,url:$u,title:$t},sessionId:$V}" }, session);
	fake_event_of(event, session);
}

static void fake_answer(int64_t id, const char *session, const char *method)
{
	const struct fake_shape *a = fake_shape_of(method);

	if (a->method)
		fake_choose_lies();
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "id");
	cbor_put_int(fake.out, id);
	fake_put_session(session);
	cbor_put_text(fake.out, "result");
	fake_put_shape(a->shape);
	cbor_cdp_map_end(fake.out);
	fake_send();
}

static void fake_refuse(int64_t id, const char *session)
{
	fake_choose_lies();
	cbor_cdp_map_begin(fake.out);
	cbor_put_text(fake.out, "id");
	cbor_put_int(fake.out, id);
	fake_put_session(session);
	cbor_put_text(fake.out, "error");
	fake_put_shape("{message:$t}");
	cbor_cdp_map_end(fake.out);
	fake_send();
}

/* Bytes as they come, in an envelope of the right length. */
static void fake_noise(void)
{
	size_t n = fake_byte() % 64;
	uint8_t message[7 + 64] = { 0xd8, 0x18, 0x5a, 0, 0, 0, (uint8_t)n };

	for (size_t i = 0; i < n; i++)
		message[7 + i] = (uint8_t)fake_byte();
	if (fake.pipe)
		bufferevent_write(fake.pipe, message, 7 + n);
}

/* The page that is there from the start, with one frame of another process. */
static void fake_attach_first(void)
{
	static const struct fake_shape page = { "Target.attachedToTarget",
		"{sessionId:$S,targetInfo:{targetId:$T,type:$k,url:$u,title:$t}}" };
	static const uint8_t frame[] = { 1, 1, 1, 5, 0, 7, 0 };
	const uint8_t *data = fake.data;
	size_t left = fake.left;

	if (left && data[0] == 255) /* not even that */
		return;
	fake.left = 0;
	fake_event_of(&page, "");
	fake.data = frame;
	fake.left = sizeof(frame);
	fake_event_of(&fake_events[0], "S0");
	fake.data = data;
	fake.left = left;
}

/* What a Chromium that means no harm tells on its own. */
static void fake_tell(const char *method, const char *session)
{
	static const struct fake_shape load = { "Page.loadEventFired", "{}" };

	if (strcmp(method, "Target.setAutoAttach") == 0 && !*session)
		fake_attach_first();
	if (strcmp(method, "Page.navigate") == 0)
		fake_event_of(&load, session);
	if (strcmp(method, "Target.createTarget") == 0)
		fake_event_of(&fake_events[0], "");
}

/* No byte is spent on what streamd does not look at the answer of. */
static void fake_respond(int64_t id, const char *session, const char *method)
{
	unsigned act = fake_shape_of(method)->method ? fake_byte() : 0;

	switch (act % 16) {
	case 6: return;
	case 7: fake_refuse(id, session); return;
	case 8: fake_answer(id + (int)fake_byte() - 128, session, method); return;
	case 9: fake_answer(id, fake_pick(fake_sessions, FAKE_COUNT(fake_sessions)), method); return;
	case 10: fake_answer(id, session, method); break;
	case 11: fake_event(); break;
	case 12: fake_event(); return;
	case 13: fake_event(), fake_event(); break;
	case 14: fake_noise(); break;
	case 15:
		if (act == 255)
			fake_end();
		break;
	default: break;
	}
	fake_tell(method, session);
	fake_answer(id, session, method);
}

/* streamd speaks CBOR that Chromium understands, whatever it was told. */
static void fake_take(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_new(0);
	const struct cbor *message = NULL;
	const char *method, *session;
	int64_t id = 0;

	if (cbor_parse(arena, bytes, n, CBOR_ITEMS_DEFAULT, &message) < 0 || !cbor_int(cbor_get(message, "id"), &id))
		abort();
	method = cbor_get_utf8(arena, message, "method");
	session = cbor_get_utf8(arena, message, "sessionId");
	fake.value = 0;
	memset(fake.lie_at, 0, sizeof(fake.lie_at));
	if (fake.script) {
		if (!fake.script(id, session ? session : "", method))
			fake_respond(id, session ? session : "", method);
	} else if (++fake.answers > FAKE_MOST_ANSWERS || (!fake.left && ++fake.last_answers > FAKE_LAST_ANSWERS))
		fake_end();
	else
		fake_respond(id, session ? session : "", method);
	arena_free(arena);
}

static void fake_on_read(struct bufferevent *pipe, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(pipe);
	uint8_t head[7];

	(void)arg;
	while (fake.pipe && evbuffer_copyout(in, head, sizeof(head)) == (ssize_t)sizeof(head)) {
		size_t n = sizeof(head) + ((size_t)head[3] << 24 | (size_t)head[4] << 16 | (size_t)head[5] << 8 | head[6]);
		uint8_t *message;
		if (evbuffer_get_length(in) < n)
			return;
		message = malloc(n);
		evbuffer_remove(in, message, n);
		fake_take(message, n);
		free(message);
	}
}

static void fake_on_event(struct bufferevent *pipe, short what, void *arg)
{
	(void)pipe, (void)arg;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		fake_end();
}

/* The other end of its pipe. */
static int fake_begin(const uint8_t *data, size_t size)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		abort();
	fake = (struct fake){ .data = data, .left = size, .out = cbor_out_new() };
	fake.pipe = bufferevent_socket_new(loop_base(), ends[1], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(fake.pipe, fake_on_read, NULL, fake_on_event, NULL);
	bufferevent_enable(fake.pipe, EV_READ | EV_WRITE);
	return ends[0];
}

static void fake_free(void)
{
	fake_end();
	fake.out = cbor_out_free(fake.out);
}
