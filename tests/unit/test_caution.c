/* What is said of a session as it is saved: what may end it soon, although it has just been proved. */
#include "tests/unit/chromium_rig.h"

#include "common/cbor.h"
#include "common/cleanup.h"
#include "recipe/recipe.h"
#include "streamd/session/caution.h"

#define CAPTURED_S 1700000000

/* With one cookie, which ends so many seconds after the capture; 0: with the browser. */
static struct state *captured(int seconds)
{
	CLEANUP(cbor_out_freep) struct cbor_out *out = cbor_out_new();
	const uint8_t *bytes;
	struct state *s = NULL;
	char why[256];
	size_t n;

	cbor_map_begin(out);
	cbor_put_text(out, "format");
	cbor_put_int(out, STATE_FORMAT);
	cbor_put_text(out, "captured_at_ms");
	cbor_put_int(out, (int64_t)CAPTURED_S * 1000);
	cbor_put_text(out, "cookies");
	cbor_put_array(out, 1);
	cbor_map_begin(out);
	cbor_put_text(out, "name");
	cbor_put_text(out, "quick");
	cbor_put_text(out, "value");
	cbor_put_text(out, "1");
	cbor_put_text(out, "domain");
	cbor_put_text(out, "desk.test");
	cbor_put_text(out, "path");
	cbor_put_text(out, "/");
	cbor_put_text(out, "expires");
	cbor_put_int(out, seconds ? CAPTURED_S + seconds : -1);
	cbor_map_end(out);
	cbor_put_text(out, "areas");
	cbor_put_array(out, 0);
	cbor_map_end(out);
	assert_int_equal(cbor_out_finish(out, &bytes, &n), 0);
	assert_int_equal(state_read(bytes, n, &s, why, sizeof(why)), 0);
	return s;
}

/* Of a site that names its accounts, and of one that does not. */
static struct recipe_account_source constant = { .is = "the team" };
static struct recipe named, nameless = { .probe.in.account = &constant };

static void cautions(struct browser *b, int seconds, const char *first, const char *last)
{
	CLEANUP(state_freep) struct state *s = captured(seconds);
	char text[1024];

	caution_words(b, &named, s, text, sizeof(text));
	if (!first && !last)
		assert_string_equal(text, "");
	if (first && !strstr(text, first))
		fail_msg("\"%s\" says nothing of %s", text, first);
	if (last && !strstr(text, last))
		fail_msg("\"%s\" says nothing of %s", text, last);
}

/* A site registers it whenever it wants (Secure-Session-Registration), and Chromium tells. */
static void bound(struct browser *b)
{
	CLEANUP(state_freep) struct state *s = captured(0);
	char text[1024];

	cautions(b, 0, NULL, NULL);
	cautions(b, 3600, NULL, NULL);
	cautions(b, 10, "cookie quick lives for 10 s only", NULL);
	caution_words(b, &nameless, s, text, sizeof(text));
	assert_string_equal(text, "The site does not say whose account it is, so Stead cannot tell when a sign-in was made with another one.");
	rig_event("S0", "Network.deviceBoundSessionsAdded", "{sessions:[{key:{site:'https://bank.test',id:'1'}}]}");
	rig_settle();
	cautions(b, 0, "https://bank.test has bound this sign-in to a key", "(DBSC), which cannot be taken along");
	cautions(b, 10, "https://bank.test has bound", "cookie quick lives for 10 s only");
}

static void test_cautions(void **state)
{
	(void)state;
	with_chromium(bound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cautions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
