/* The egress rule: tables of hosts and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/address.h"
#include "common/cleanup.h"
#include "common/egress_rule.h"
#include "common/host.h"
#include "common/hostpattern.h"
#include "common/utf.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const char *kind_of(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(text, &a), 0);
	return address_special(&a);
}

/* Whose page an address is, whatever stands before and behind that. */
static void test_host_in_url(void **state)
{
	static const char *const rows[][2] = { { "https://desk.test", "desk.test" }, { "http://desk.test:81/x@y", "desk.test:81" },
		{ "https://desk.test?next=https://b.test/", "desk.test" }, { "https://desk.test#@b.test", "desk.test" },
		{ "https://alice:pass@desk.test/", "desk.test" }, { "https://b.test@c.test@desk.test/", "desk.test" },
		{ "https://[::1]:8443/", "[::1]:8443" }, { "https://", "" }, { "https:///x", "" } };
	static const char *const none[] = { "", "about:blank", "ftp://desk.test/", "data:text/html,https://desk.test/", "chrome://x" };
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *host = host_in_url(rows[i][0], &n);
		assert_non_null(host);
		assert_int_equal(n, strlen(rows[i][1]));
		assert_memory_equal(host, rows[i][1], n);
	}
	for (size_t i = 0; i < COUNT(none); i++) {
		assert_null(host_in_url(none[i], &n));
		assert_int_equal(n, 0);
	}
}

/* Both ends of every range, and what lies just outside. */
static void test_special_addresses(void **state)
{
	static const char *const special[] = {"0.0.0.0", "0.255.255.255", "10.0.0.0",
		"10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.0.0.1",
		"127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255",
		"168.63.129.16", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192",
		"192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0",
		"198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.0", "239.255.255.255",
		"240.0.0.0", "255.255.255.255", "100.100.100.200", "::", "::1", "::2",
		"::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::FFFF:A9FE:A9FE",
		"64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "64:ff9b:1::8.8.8.8",
		"100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:1ff:ffff::1", "2001:db8::1",
		"2001:db8:ffff::", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1",
		"3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254",
		"fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ffff::1", "1fff::1",
		"::ffff:0:7f00:1"};
	static const char *const public[] = {"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "168.63.129.15", "172.15.255.255", "172.32.0.0", "192.0.1.0",
		"192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"203.0.112.255", "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8",
		"64:ff9b::8.8.8.8", "2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1",
		"2001:db9::1", "2003::1", "2606:4700::1111", "3ffe::1", "3fff:1000::1"};

	(void)state;
	for (size_t i = 0; i < COUNT(special); i++)
		if (!kind_of(special[i]))
			fail_msg("%s passes for public", special[i]);
	for (size_t i = 0; i < COUNT(public); i++)
		if (kind_of(public[i]))
			fail_msg("%s passes for %s", public[i], kind_of(public[i]));
	assert_string_equal(
		kind_of("169.254.169.254"), "the address of a cloud's metadata service");
	assert_string_equal(kind_of("fd00:ec2::254"), "the address of a cloud's metadata service");
	assert_string_equal(kind_of("::ffff:127.0.0.1"), "a loopback address");
	assert_string_equal(kind_of("64:ff9b::10.0.0.1"), "a private address");
}

static void test_address_spellings(void **state)
{
	static const char *const wrong[] = {"", "1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1",
		"127.0.0.01", "127.0.0.1.", "1.2.3.4.5", "256.1.1.1", "[::1]", "::1%lo",
		"fe80::1%eth0", " 127.0.0.1", "127.0.0.1 ", "::ffff:127.1", "1::2::3"};
	struct address a, b;
	char text[ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (address_parse(wrong[i], &a) != -EINVAL)
			fail_msg("\"%s\" is read as an address", wrong[i]);
	assert_int_equal(address_parse("::ffff:192.0.2.1", &a), 0);
	assert_int_equal(address_parse("192.0.2.1", &b), 0);
	assert_true(address_equal(&a, &b)); /* a connection to either goes to the same place */
	assert_string_equal(address_format(&a, text), "192.0.2.1");
	assert_int_equal(address_parse("2001:DB8:0::1", &a), 0);
	assert_string_equal(address_format(&a, text), "2001:db8::1");
}

static void test_sockaddr(void **state)
{
	static const char *const both[] = {"203.0.113.9", "2001:db8::9"};
	struct sockaddr_storage sa;
	struct address a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(both); i++) {
		assert_int_equal(address_parse(both[i], &a), 0);
		assert_true(address_to_sockaddr(&a, 443, &sa) > 0);
		assert_int_equal(address_from_sockaddr((struct sockaddr *)&sa, &b), 0);
		assert_true(address_equal(&a, &b));
	}
	struct sockaddr_in6 mapped = {
		.sin6_family = AF_INET6, .sin6_addr.s6_addr = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
	assert_int_equal(address_from_sockaddr((struct sockaddr *)&mapped, &a), 0);
	assert_int_equal(a.family, AF_INET);
	assert_string_equal(address_special(&a), "a loopback address");
	struct sockaddr unix_socket = { .sa_family = AF_UNIX };
	assert_int_equal(address_from_sockaddr(&unix_socket, &a), -EAFNOSUPPORT);
}

static void test_hosts(void **state)
{
	static const struct {
		const char *text, *name;
		bool literal;
	} right[] = {
		{"desk.example", "desk.example", false},
		{"DESK.Example", "desk.example", false},
		{"desk.example.", "desk.example", false},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", false},
		{"XN--BCHER-KVA.example", "xn--bcher-kva.example", false},
		{"a_b.example", "a_b.example", false},
		{"localhost", "localhost", false},
		{"1.example", "1.example", false},
		{"0xg.example", "0xg.example", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1.", "127.0.0.1", true},
		{"[::1]", "::1", true},
		{"::1", "::1", true},
		{"[::FFFF:10.0.0.1]", "10.0.0.1", true},
	};
	static const char *const wrong[] = {"", ".", "..", ".example", "a..b", "desk.example..",
		"desk example", "desk/example", "user@desk.example", "desk.example:80",
		"b\xc3\xbc"
		"cher.example",
		"127.1", "2130706433", "0x7f000001", "desk.0x1f", "1.2.3.4.5", "256.0.0.1",
		"[127.0.0.1]", "[::1", "::1]", "*", "*.example", "%31.example", "desk.example%00",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"};
	struct host h;
	char longest[300];

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		if (host_parse(right[i].text, strlen(right[i].text), &h) != 0)
			fail_msg("\"%s\" is no host", right[i].text);
		assert_string_equal(h.name, right[i].name);
		assert_int_equal(h.literal, right[i].literal);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (host_parse(wrong[i], strlen(wrong[i]), &h) != -EINVAL)
			fail_msg("\"%s\" is a host", wrong[i]);
	assert_int_equal(host_parse("a\0b.example", 11, &h), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 50; i < sizeof(longest); i += 50)
		longest[i] = '.';
	assert_int_equal(host_parse(longest, 253, &h), 0);
	assert_int_equal(host_parse(longest, 254, &h), -EINVAL);
}

static void test_ports(void **state)
{
	static const struct {
		const char *text, *name;
		uint16_t port;
	} right[] = {
		{"desk.example", "desk.example", 7}, {"desk.example:443", "desk.example", 443},
		{"127.0.0.1:65535", "127.0.0.1", 65535}, {"[::1]:80", "::1", 80},
		{"[::1]", "::1", 7}, {"::1", "::1", 7},
		{"1::2:80", "1::2:80", 7}, /* without brackets it is all address */
	};
	static const char *const wrong[] = {"desk.example:", "desk.example:0", "desk.example:65536",
		"desk.example:+1", "desk.example:80a", "desk.example:000080", ":80", "a:b:80",
		"[::1]:", "[::1]80"};
	struct host h;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		if (host_parse_port(right[i].text, strlen(right[i].text), 7, &h, &port) != 0)
			fail_msg("\"%s\" is no host with a port", right[i].text);
		assert_string_equal(h.name, right[i].name);
		assert_int_equal(port, right[i].port);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (host_parse_port(wrong[i], strlen(wrong[i]), 7, &h, &port) != -EINVAL)
			fail_msg("\"%s\" is a host with a port", wrong[i]);
}

static bool matches(const char *pattern, const char *host, uint16_t port)
{
	struct hostpattern p;
	struct host h;

	assert_int_equal(hostpattern_parse(pattern, &p), 0);
	assert_int_equal(host_parse(host, strlen(host), &h), 0);
	return hostpattern_has_host(&p, &h) && hostpattern_has_port(&p, port);
}

static void test_patterns(void **state)
{
	static const char *const wrong[] = {"", "*", "*.", "*.*", "*.*.example", "a.*.example",
		"*desk.example", "http://desk.example", "desk.example/", "desk.example:*",
		"*.127.0.0.1", "10.0.0.0/8", "*.[::1]"};
	struct hostpattern p;

	(void)state;
	assert_true(matches("desk.example", "desk.example", 443));
	assert_true(matches("DESK.example.", "desk.EXAMPLE", 80));
	assert_false(matches("desk.example", "desk.example", 8080));
	assert_false(matches("desk.example", "www.desk.example", 443));
	assert_false(matches("desk.example", "desk.example.evil.example", 443));
	assert_true(matches("*.desk.example", "a.desk.example", 443));
	assert_true(matches("*.desk.example", "a.b.desk.example", 80));
	assert_false(matches("*.desk.example", "desk.example", 443));
	assert_false(matches("*.desk.example", "evildesk.example", 443));
	assert_false(matches("*.desk.example", "a.desk.example.evil.example", 443));
	assert_true(matches("desk.example:8443", "desk.example", 8443));
	assert_false(matches("desk.example:8443", "desk.example", 443));
	assert_true(matches("*.desk.example:81", "a.desk.example", 81));
	assert_true(matches("10.0.0.1", "10.0.0.1", 80));
	assert_true(matches("::1", "[::1]", 80));
	assert_true(matches("[::1]:8080", "[0:0::1]", 8080));
	assert_false(matches("*.1.example", "10.0.0.1", 80));
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (hostpattern_parse(wrong[i], &p) != -EINVAL)
			fail_msg("\"%s\" is a pattern", wrong[i]);
}

static const char *const hosts[] = {"desk.example", "*.sso.example", "gateway.example",
	"both.example", "nowhere.example", "[::1]:8080", "10.0.0.5", "8.8.8.8"};
static const char *const private_addresses[] = {"192.168.7.1", "::1"};
static const char *const pins[] = {"Gateway.example=192.168.7.1:8443", "both.example=10.9.9.9",
	"both.example=203.0.114.7", "both.example=[2606:4700::1]:444",
	"nowhere.example=169.254.169.254"};

static struct egress_rule *rule_of_table(void)
{
	struct egress_rule *rule;
	const char *field;
	char why[EGRESS_WHY];

	assert_int_equal(egress_rule_new((struct egress_words){ hosts, COUNT(hosts) },
				 (struct egress_words){ private_addresses, COUNT(private_addresses) },
				 (struct egress_words){ pins, COUNT(pins) }, &rule, &field, why),
		0);
	return rule;
}

static void test_rule_of_hosts(void **state)
{
	CLEANUP(egress_rule_freep) struct egress_rule *rule = rule_of_table();
	static const struct {
		const char *host;
		uint16_t port;
		int result;
		const char *why;
		size_t endpoints;
	} rows[] = {
		{"desk.example", 443, 0, NULL, 0}, {"Desk.Example.", 80, 0, NULL, 0},
		{"desk.example", 22, -EACCES, "port 22", 0}, {"a.b.sso.example", 443, 0, NULL, 0},
		{"sso.example", 443, -EACCES, "not among", 0},
		{"other.example", 443, -EACCES, "not among", 0},
		{"localhost", 80, -EACCES, "not among", 0},
		{"127.0.0.1", 80, -EACCES, "not among", 0},
		{"169.254.169.254", 80, -EACCES, "not among", 0},
		{"127.1", 80, -EINVAL, "neither", 0}, {"gateway.example", 443, 0, NULL, 1},
		{"gateway.example", 8443, -EACCES, "port 8443",
			0}, /* a pin's port is where it leads, not what may be asked for */
		{"both.example", 443, 0, NULL, 2}, /* of three pins one is private and not listed */
		{"nowhere.example", 443, -EACCES, "metadata", 0}, {"::1", 8080, 0, NULL, 1},
		{"[::1]", 80, -EACCES, "port 80", 0},
		{"10.0.0.5", 80, -EACCES, "10.0.0.5, a private address",
			0}, /* a host, but not a private address that is listed */
		{"8.8.8.8", 443, 0, NULL, 1},
		{"192.168.7.1", 443, -EACCES, "not among", 0}, /* the other way round */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct egress_target t = { .count = 99 };
		char why[EGRESS_WHY] = "";
		int r = egress_rule_host(
			rule, rows[i].host, strlen(rows[i].host), rows[i].port, &t, why);
		if (r != rows[i].result || (r < 0 && !strstr(why, rows[i].why)))
			fail_msg("%s:%u gives %d: %s", rows[i].host, rows[i].port, r, why);
		assert_int_equal(t.count, r == 0 ? rows[i].endpoints : 99);
	}
}

static void test_pins(void **state)
{
	CLEANUP(egress_rule_freep) struct egress_rule *rule = rule_of_table();
	struct egress_target t;
	char why[EGRESS_WHY], text[ADDRESS_TEXT];

	(void)state;
	assert_int_equal(egress_rule_host(rule, "gateway.example", 15, 443, &t, why), 0);
	assert_string_equal(address_format(&t.endpoints[0].address, text), "192.168.7.1");
	assert_int_equal(t.endpoints[0].port, 8443);
	assert_int_equal(egress_rule_host(rule, "both.example", 12, 80, &t, why), 0);
	assert_string_equal(address_format(&t.endpoints[0].address, text), "203.0.114.7");
	assert_int_equal(t.endpoints[0].port, 80);
	assert_string_equal(address_format(&t.endpoints[1].address, text), "2606:4700::1");
	assert_int_equal(t.endpoints[1].port, 444);
}

/* RFC 6761, section 6.3: never looked up, for whoever answers could lead them elsewhere, and many a resolver knows none below. */
static void test_localhost(void **state)
{
	static const char *const own[] = {"localhost", "*.localhost", "localhost.example", "notlocalhost"};
	static const char *const loopback[] = {"127.0.0.1"};
	CLEANUP(egress_rule_freep) struct egress_rule *open_rule = NULL;
	CLEANUP(egress_rule_freep) struct egress_rule *closed_rule = NULL;
	struct egress_words all = { own, COUNT(own) }, none = { NULL, 0 };
	struct egress_target t;
	const char *field;
	char why[EGRESS_WHY], text[ADDRESS_TEXT];

	(void)state;
	assert_int_equal(egress_rule_new(all, (struct egress_words){ loopback, 1 }, none, &open_rule, &field, why), 0);
	assert_int_equal(egress_rule_new(all, none, none, &closed_rule, &field, why), 0);
	assert_int_equal(egress_rule_host(open_rule, "localhost", 9, 80, &t, why), 0);
	assert_int_equal(t.count, 1);
	assert_int_equal(egress_rule_host(open_rule, "a.Desk.LOCALHOST.", 17, 80, &t, why), 0);
	assert_int_equal(t.count, 1);
	assert_string_equal(address_format(&t.endpoints[0].address, text), "127.0.0.1");
	assert_string_equal(why, "");
	assert_int_equal(egress_rule_host(open_rule, "localhost.example", 17, 80, &t, why), 0);
	assert_int_equal(t.count, 0);
	assert_int_equal(egress_rule_host(open_rule, "notlocalhost", 12, 80, &t, why), 0);
	assert_int_equal(t.count, 0);
	assert_int_equal(egress_rule_host(closed_rule, "desk.localhost", 14, 80, &t, why), -EACCES);
	assert_non_null(strstr(why, "127.0.0.1, a loopback address"));
}

static int found(
	const struct egress_rule *rule, struct egress_target *t, const char *text, char *why)
{
	struct address a;

	assert_int_equal(address_parse(text, &a), 0);
	return egress_rule_address(rule, t, &a, why);
}

/* What a name turns out to lead to, as after a rebinding of its name. */
static void test_rule_of_addresses(void **state)
{
	CLEANUP(egress_rule_freep) struct egress_rule *rule = rule_of_table();
	struct egress_target t;
	char why[EGRESS_WHY], text[ADDRESS_TEXT];

	(void)state;
	assert_int_equal(egress_rule_host(rule, "desk.example", 12, 443, &t, why), 0);
	assert_int_equal(found(rule, &t, "127.0.0.1", why), -EACCES);
	assert_non_null(strstr(why, "127.0.0.1, a loopback address"));
	assert_int_equal(found(rule, &t, "::ffff:169.254.169.254", why), -EACCES);
	assert_int_equal(found(rule, &t, "192.168.7.2", why), -EACCES);
	assert_int_equal(found(rule, &t, "fd00:ec2::254", why), -EACCES);
	assert_int_equal(t.count, 0);
	assert_int_equal(found(rule, &t, "192.168.7.1", why), 0);
	assert_int_equal(found(rule, &t, "::ffff:192.168.7.1", why), 0); /* the very same address */
	assert_int_equal(found(rule, &t, "93.184.215.14", why), 0);
	assert_int_equal(t.count, 3);
	assert_string_equal(address_format(&t.endpoints[2].address, text), "93.184.215.14");
	assert_int_equal(t.endpoints[2].port, 443);
	for (int i = 0; i < 50; i++)
		assert_int_equal(found(rule, &t, "93.184.215.14", why), 0);
	assert_int_equal(t.count, EGRESS_MOST_ENDPOINTS);
}

static void expect_wrong(const char *host, const char *address, const char *pin, const char *field)
{
	struct egress_rule *rule = NULL;
	const char *got = NULL;
	char why[EGRESS_WHY];

	assert_int_equal(egress_rule_new((struct egress_words){ &host, host != NULL },
				 (struct egress_words){ &address, address != NULL },
				 (struct egress_words){ &pin, pin != NULL }, &rule, &got, why),
		-EINVAL);
	assert_null(rule);
	assert_string_equal(got, field);
	assert_true(utf8_valid(why, strlen(why)));
	for (const char *c = why; *c; c++)
		assert_false((unsigned char)*c < ' ');
}

static void test_wrong_rules(void **state)
{
	static const char *const wrong_pins[] = {"", "desk.example",
		"desk.example=", "desk.example=other.example", "=127.0.0.1",
		"desk.example=127.0.0.1:", "desk.example=127.0.0.1:0", "127.0.0.1=10.0.0.1",
		"*.example=10.0.0.1", "desk.example=10.1", "desk.example=10.0.0.1=10.0.0.2",
		"desk.example:80=10.0.0.1"};
	static const char *const wrong_addresses[] = {
		"", "10.0.0.0/8", "10.1", "localhost", "[::1]", "10.0.0.1:80"};

	(void)state;
	expect_wrong("*", NULL, NULL, "hosts");
	expect_wrong("b\xc3\xbc"
		     "cher.example",
		NULL, NULL, "hosts");
	for (size_t i = 0; i < COUNT(wrong_addresses); i++)
		expect_wrong("a.example", wrong_addresses[i], NULL, "private_addresses");
	for (size_t i = 0; i < COUNT(wrong_pins); i++)
		expect_wrong("a.example", NULL, wrong_pins[i], "pins");
}

static void test_no_hosts(void **state)
{
	CLEANUP(egress_rule_freep) struct egress_rule *rule = NULL;
	struct egress_words none = { NULL, 0 };
	const char *field;
	struct egress_target t;
	char why[EGRESS_WHY];

	(void)state;
	assert_int_equal(egress_rule_new(none, none, none, &rule, &field, why), 0);
	assert_int_equal(egress_rule_host(rule, "desk.example", 12, 443, &t, why), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_in_url),
		cmocka_unit_test(test_special_addresses),
		cmocka_unit_test(test_address_spellings),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_rule_of_hosts),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_localhost),
		cmocka_unit_test(test_rule_of_addresses),
		cmocka_unit_test(test_wrong_rules),
		cmocka_unit_test(test_no_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
