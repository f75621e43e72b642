#include "common/egress_rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/hostpattern.h"
#include "common/must.h"
#include "common/words.h"

struct pin {
	struct host host;
	struct address address;
	uint16_t port; /* 0: as asked for */
};

struct egress_rule {
	struct hostpattern *hosts;
	struct address *private_addresses;
	struct pin *pins;
	size_t host_count, private_count, pin_count;
};

struct egress_rule *egress_rule_free(struct egress_rule *rule)
{
	if (rule) {
		free(rule->hosts);
		free(rule->private_addresses);
		free(rule->pins);
		free(rule);
	}
	return NULL;
}

void egress_rule_freep(struct egress_rule **rule)
{
	egress_rule_free(*rule);
}

static int read_hosts(struct egress_rule *rule, struct egress_words words, char *why)
{
	for (size_t i = 0; i < words.count; i++)
		if (hostpattern_parse(words.items[i], &rule->hosts[rule->host_count++]) < 0)
			return words_fail(-EINVAL, why, EGRESS_WHY,
				"\"%s\" is not a host pattern; write NAME, *.NAME or an address, and :PORT if it is neither 80 nor 443.",
				BRIEF(80, words.items[i]));
	return 0;
}

static int read_addresses(struct egress_rule *rule, struct egress_words words, char *why)
{
	for (size_t i = 0; i < words.count; i++)
		if (address_parse(words.items[i], &rule->private_addresses[rule->private_count++]) < 0)
			return words_fail(-EINVAL, why, EGRESS_WHY,
				"\"%s\" is not an IP address; write it in full, one for each entry.", BRIEF(80, words.items[i]));
	return 0;
}

/* NULL, or what is wrong with it; ret is written in either case. */
static const char *pin_parse(const char *text, struct pin *ret)
{
	const char *equals = strchr(text, '=');
	struct host target;

	if (!equals)
		return "an = and an IP address must follow the host";
	if (host_parse(text, (size_t)(equals - text), &ret->host) < 0 || ret->host.literal)
		return "a host name must stand before the =";
	if (host_parse_port(equals + 1, strlen(equals + 1), 0, &target, &ret->port) < 0 ||
		!target.literal)
		return "an IP address, and perhaps a colon and a port, must follow the =";
	ret->address = target.address;
	return NULL;
}

const char *egress_pin_wrong(const char *text)
{
	struct pin pin;

	return pin_parse(text, &pin);
}

static int read_pins(struct egress_rule *rule, struct egress_words words, char *why)
{
	for (size_t i = 0; i < words.count; i++)
		if (pin_parse(words.items[i], &rule->pins[rule->pin_count++]))
			return words_fail(-EINVAL, why, EGRESS_WHY,
				"\"%s\" is not a pin; write HOST=ADDRESS or HOST=ADDRESS:PORT.", BRIEF(80, words.items[i]));
	return 0;
}

int egress_rule_new(struct egress_words hosts, struct egress_words private_addresses,
	struct egress_words pins, struct egress_rule **ret, const char **ret_field,
	char why[EGRESS_WHY])
{
	CLEANUP(egress_rule_freep) struct egress_rule *rule = must(calloc(1, sizeof(*rule)));

	*why = '\0';
	rule->hosts = must(calloc(hosts.count + 1, sizeof(*rule->hosts)));
	rule->private_addresses = must(calloc(private_addresses.count + 1, sizeof(*rule->private_addresses)));
	rule->pins = must(calloc(pins.count + 1, sizeof(*rule->pins)));
	*ret_field = "hosts";
	if (read_hosts(rule, hosts, why) < 0)
		return -EINVAL;
	*ret_field = "private_addresses";
	if (read_addresses(rule, private_addresses, why) < 0)
		return -EINVAL;
	*ret_field = "pins";
	if (read_pins(rule, pins, why) < 0)
		return -EINVAL;
	*ret_field = NULL;
	*ret = TAKE(rule);
	return 0;
}

static int check_patterns(
	const struct egress_rule *rule, const struct host *host, uint16_t port, char *why)
{
	bool known = false;

	for (size_t i = 0; i < rule->host_count; i++) {
		if (!hostpattern_has_host(&rule->hosts[i], host))
			continue;
		if (hostpattern_has_port(&rule->hosts[i], port))
			return 0;
		known = true;
	}
	if (known)
		return words_fail(-EACCES, why, EGRESS_WHY,
			"It is not among the hosts with port %u that the site may reach; its recipe can allow that (hosts, as HOST:%u).",
			(unsigned)port, (unsigned)port);
	return words_fail(-EACCES, why, EGRESS_WHY,
		"It is not among the hosts that the site may reach; its recipe can allow it (hosts).");
}

static int check_address(const struct egress_rule *rule, const struct address *address, char *why)
{
	const char *kind = address_special(address);
	char text[ADDRESS_TEXT];

	if (!kind)
		return 0;
	for (size_t i = 0; i < rule->private_count; i++)
		if (address_equal(&rule->private_addresses[i], address))
			return 0;
	return words_fail(-EACCES, why, EGRESS_WHY, "It is at %s, %s; its recipe can allow that (private_addresses).",
		address_format(address, text), kind);
}

static int egress_rule_add(const struct egress_rule *rule, struct egress_target *t,
	const struct address *address, uint16_t port, char *why)
{
	int r = check_address(rule, address, why);

	if (r < 0 || t->count == EGRESS_MOST_ENDPOINTS)
		return r;
	t->endpoints[t->count++] = (struct egress_endpoint){ *address, port };
	return 0;
}

/*
 * 1 when pins have settled it, 0 when there is none; if all are refused, so is the host: it is not
 * looked up then.
 */
static int add_pins(const struct egress_rule *rule, struct egress_target *t, char *why)
{
	int r = 0;

	for (size_t i = 0; i < rule->pin_count; i++) {
		const struct pin *pin = &rule->pins[i];
		if (!host_equal(&pin->host, &t->host))
			continue;
		int added = egress_rule_add(rule, t, &pin->address, pin->port ? pin->port : t->port, why);
		r = added == 0 ? 1 : r == 0 ? added : r;
	}
	return r;
}

static bool is_localhost(const char *name)
{
	const char *dot = strrchr(name, '.');

	return strcmp(dot ? dot + 1 : name, "localhost") == 0;
}

/* As add_pins(): these names are this machine, whatever a resolver says of them (RFC 6761, section 6.3). */
static int add_localhost(const struct egress_rule *rule, struct egress_target *t, char *why)
{
	static const char *const loopback[] = {"::1", "127.0.0.1"};
	int r = -EACCES;

	for (size_t i = 0; i < 2; i++) {
		struct address address;
		if (address_parse(loopback[i], &address) == 0 && egress_rule_add(rule, t, &address, t->port, why) == 0)
			r = 1;
	}
	return r;
}

static int add_known(const struct egress_rule *rule, struct egress_target *t, char *why)
{
	int r = t->host.literal ? egress_rule_add(rule, t, &t->host.address, t->port, why) : add_pins(rule, t, why);

	return r == 0 && is_localhost(t->host.name) ? add_localhost(rule, t, why) : r;
}

int egress_rule_host(const struct egress_rule *rule, const char *host, size_t length, uint16_t port,
	struct egress_target *ret, char why[EGRESS_WHY])
{
	struct egress_target t = { .port = port };
	int r = host_parse(host, length, &t.host);

	*why = '\0';
	if (r < 0)
		return words_fail(r, why, EGRESS_WHY,
			"It is neither a host name nor an address as URLs have them.");
	r = check_patterns(rule, &t.host, port, why);
	if (r == 0)
		r = add_known(rule, &t, why);
	if (r < 0)
		return r;
	*why = '\0'; /* one of several may have been refused */
	*ret = t;
	return 0;
}

int egress_rule_address(const struct egress_rule *rule, struct egress_target *target,
	const struct address *address, char why[EGRESS_WHY])
{
	*why = '\0';
	return egress_rule_add(rule, target, address, target->port, why);
}
