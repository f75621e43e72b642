/* The envelope: what is a message, and that each that is written can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "proto/message.h"

static char *kept;

/* The strings of the result live until the next call. */
static int scan(const char *text, size_t n, struct message *ret, const char **ret_why)
{
	free(kept);
	kept = malloc(n + 1);
	memcpy(kept, text, n);
	kept[n] = '\0';
	return message_scan(kept, n, ret, ret_why);
}

static struct message read_back(struct bytes *t)
{
	struct message m;
	const char *why = NULL;
	json_t *document = NULL;

	if (scan(t->p, t->n, &m, &why) < 0)
		fail_msg("%.*s: %s", (int)t->n, t->p, why);
	assert_int_equal(json_read(t->p, t->n, &document, &why), 0);
	json_decref(document);
	bytes_free(t);
	return m;
}

static void test_request(void **state)
{
	struct acting alice = { .user = 7, .name = "al\"ice", .login = "l1", .ip = "::1", .scopes = SCOPES_ADMIN & ~(unsigned)SCOPE_ACT };
	struct bytes t = { 0 };

	(void)state;
	message_begin_request(&t, 5, "booking_show", &alice, 2000, 64);
	bytes_puts(&t, "{\"id\":1}");
	message_end(&t, true);
	struct message m = read_back(&t);
	assert_false(m.response);
	assert_int_equal(m.id, 5);
	assert_string_equal(m.method, "booking_show");
	assert_int_equal(m.acting.user, 7);
	assert_string_equal(m.acting.name, "al\"ice");
	assert_string_equal(m.acting.login, "l1");
	assert_string_equal(m.acting.ip, "::1");
	assert_int_equal(m.acting.scopes, SCOPES_ADMIN & ~(unsigned)SCOPE_ACT);
	assert_true(m.fd);
	assert_int_equal(m.ms, 2000);
	assert_int_equal(m.credit, 64);
	assert_memory_equal(m.params_text.p, "{\"id\":1}", m.params_text.n);

	message_begin_request(&t, 6, "x", NULL, 0, 0);
	bytes_puts(&t, "{}");
	message_end(&t, false);
	m = read_back(&t);
	assert_int_equal(m.acting.user, 0);
	assert_null(m.acting.name);
	assert_false(m.fd);
}

static void test_answers(void **state)
{
	struct refusal why;
	struct bytes t = { 0 };

	(void)state;
	message_begin_result(&t, 9);
	bytes_puts(&t, "{\"a\":[]}");
	message_end(&t, false);
	struct message m = read_back(&t);
	assert_true(m.response && !m.refused && m.id == 9);
	assert_int_equal(m.result_text.n, 8);

	refusal_set(&why, ERR_not_found, "id", "There is no \"x\".\n");
	message_write_refusal(&t, 9, &why);
	m = read_back(&t);
	assert_true(m.response && m.refused && m.id == 9);
	assert_int_equal(m.refusal.code, ERR_not_found);
	assert_string_equal(m.refusal.field, "id");
	assert_string_equal(m.refusal.message, "There is no \"x\". ");

	message_write_refusal(&t, 0, &why);
	m = read_back(&t);
	assert_true(m.response && m.refused && m.id == 0);
	assert_int_equal(m.refusal.retry_ms, 0);

	why.retry_ms = 59000;
	message_write_refusal(&t, 9, &why);
	assert_int_equal(read_back(&t).refusal.retry_ms, 59000);
	strcpy(why.detail, "see: systemctl status stead-botd");
	message_write_refusal(&t, 9, &why);
	assert_string_equal(read_back(&t).refusal.detail, "see: systemctl status stead-botd");
}

/* What a peer says of how long to wait is a number of ms up to a day, or nothing. */
static void test_retry(void **state)
{
	static const char *const values[] = { "-5", "1.5", "86400001", "9223372036854775807", "\"5\"", "null", "[5]", "{\"a\":5}" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char text[200];
		struct message m;
		const char *why = "";
		int n = snprintf(text, sizeof(text),
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"data\":{\"retry_ms\":%s,\"name\":\"busy\"}}}", values[i]);

		if (scan(text, (size_t)n, &m, &why) < 0)
			fail_msg("%s: %s", text, why);
		assert_int_equal(m.refusal.code, ERR_busy);
		assert_int_equal(m.refusal.retry_ms, 0);
	}
}

static void test_notification(void **state)
{
	struct bytes t = { 0 };

	(void)state;
	message_begin_notification(&t, "cancel");
	bytes_puts(&t, "{}");
	message_end(&t, false);
	struct message m = read_back(&t);
	assert_true(!m.response && m.id == 0);
	assert_string_equal(m.method, "cancel");
}

#define V "{\"jsonrpc\":\"2.0\","

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "[]", "not one JSON object" },
		{ "5", "not one JSON object" },
		{ "{}", "does not say \"jsonrpc\":\"2.0\"" },
		{ "{\"jsonrpc\":2.0,\"method\":\"x\"}", "does not say" },
		{ "{\"jsonrpc\":\"1.0\",\"method\":\"x\"}", "does not say" },
		{ V "\"id\":1}", "neither a method nor a result nor an error" },
		{ V "\"id\":0,\"method\":\"x\"}", "whole number above 0" },
		{ V "\"id\":-1,\"method\":\"x\"}", "whole number above 0" },
		{ V "\"id\":1.0,\"method\":\"x\"}", "whole number above 0" },
		{ V "\"id\":\"1\",\"method\":\"x\"}", "whole number above 0" },
		{ V "\"id\":9223372036854775808,\"method\":\"x\"}", "too large" },
		{ V "\"method\":5}", "not a text" },
		{ V "\"method\":null}", "not a text" },
		{ V "\"method\":\"x\",\"params\":[]}", "not an object" },
		{ V "\"method\":\"x\",\"params\":null}", "not an object" },
		{ V "\"id\":1,\"result\":5}", "not an object" },
		{ V "\"id\":1,\"error\":5}", "not an object" },
		{ V "\"method\":\"x\",\"ms\":-1}", "whole numbers from 0" },
		{ V "\"method\":\"x\",\"credit\":-1}", "whole numbers from 0" },
		{ V "\"method\":\"x\",\"credit\":1e3}", "whole numbers from 0" },
		{ V "\"method\":\"x\",\"fd\":1}", "true or false" },
		{ V "\"method\":\"x\",\"more\":1}", "does not know" },
		{ V "\"method\":\"x\",\"\\u006dethod\":\"y\"}", "twice" },
		{ V "\"method\":\"x\",\"for\":5}", "for whom" },
		{ V "\"method\":\"x\",\"for\":{\"user\":-1}}", "for whom" },
		{ V "\"method\":\"x\",\"for\":{\"user\":\"7\"}}", "for whom" },
		{ V "\"method\":\"x\",\"for\":{\"name\":7}}", "for whom" },
		{ V "\"method\":\"x\",\"for\":{\"name\":\"a\\nPRIORITY=0\"}}", "for whom" },
		{ V "\"method\":\"x\",\"for\":{\"scopes\":1}}", "for whom" },
		{ V "\"method\":\"x\",\"for\":{\"root\":true}}", "for whom" },
		{ V "\"method\":\"x\",\"for\":{\"user\":7,\"user\":8}}", "twice" },
		{ V "\"method\":\"x\"} ,", "follows" },
		{ V "\"method\":\"x\"", "too early" },
		{ V "\"method\":\"x\",\"params\":{\"a\":\"\xff\"}}", "UTF-8" },
	};
	struct message m;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		why = "nothing";
		if (scan(rows[i].text, strlen(rows[i].text), &m, &why) != -EBADMSG || !strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].text, why);
	}
}

static void test_long_label(void **state)
{
	char text[400], name[ACTING_TEXT + 2];
	struct message m;
	const char *why;

	(void)state;
	for (size_t n = ACTING_TEXT; n <= ACTING_TEXT + 1; n++) {
		memset(name, 'x', n);
		name[n] = '\0';
		snprintf(text, sizeof(text), V "\"method\":\"x\",\"for\":{\"user\":1,\"name\":\"%s\"}}", name);
		assert_int_equal(scan(text, strlen(text), &m, &why), n > ACTING_TEXT ? -EBADMSG : 0);
	}
}

static void test_cut_at_each_byte(void **state)
{
	static const char text[] = V "\"id\":5,\"method\":\"x\",\"for\":{\"user\":7,\"scopes\":\"act\"},\"params\":{\"a\":[1,null]},\"fd\":true}";
	struct message m;
	const char *why;

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(text); n++)
		assert_int_equal(scan(text, n, &m, &why), -EBADMSG);
	assert_int_equal(scan(text, sizeof(text) - 1, &m, &why), 0);
}

static void test_engine_params(void **state)
{
	char good[] = "{\"id\":5,\"n\":3,\"version\":1,\"program\":\"x\",\"item\":{\"a\":1}}", bad[] = "{\"id\":5,\"n\":\"3\"}", list[] = "{\"item\":[]}";
	struct engine_params e;
	const char *why;

	(void)state;
	assert_int_equal(message_scan_engine((struct raw_json){ good, strlen(good) }, &e, &why), 0);
	assert_true(e.id == 5 && e.n == 3 && e.version == 1 && e.item.n == 7);
	assert_int_equal(message_scan_engine((struct raw_json){ bad, strlen(bad) }, &e, &why), -EBADMSG);
	assert_int_equal(message_scan_engine((struct raw_json){ list, strlen(list) }, &e, &why), -EBADMSG);
	assert_int_equal(message_scan_engine((struct raw_json){ 0 }, &e, &why), 0);
	assert_true(e.id == 0 && !e.item.p);
}

static int clean_up(void **state)
{
	(void)state;
	free(kept);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_notification),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_label),
		cmocka_unit_test(test_cut_at_each_byte),
		cmocka_unit_test(test_engine_params),
	};

	return cmocka_run_group_tests(tests, NULL, clean_up);
}
