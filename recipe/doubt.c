#include "recipe/doubt.h"

#include <string.h>

#include "common/egress_rule.h"
#include "common/hostpattern.h"
#include "recipe/check.h"
#include "recipe/format.h"
#include "recipe/pattern.h"
#include "recipe/walk.h"

/* More than a writer mends at once. */
#define MOST_DOUBTS 64

struct doubting {
	struct reading *reading;
	struct recipe *recipe;
};

/* What has been told last was no mistake. */
static void doubt_keep(struct doubting *d, const char *so)
{
	const char *told = reading_take(d->reading);

	if (d->recipe->doubts_count < MOST_DOUBTS)
		d->recipe->doubts[d->recipe->doubts_count++] = arena_printf(d->reading->arena, "%s%s", told, so);
}

/* A pattern of many hosts may fit one of the recipe's; one of a single host fits pages of that host alone. */
static void doubt_pattern(const struct place *place, enum format format, const char *text, void *arg)
{
	struct doubting *d = arg;
	char host[256];

	if (format != FORMAT_URL_PATTERN || !url_host(text, host, sizeof(host)) || *host == '*')
		return;
	check_reachable(d->reading, place, d->recipe, text);
	if (mistakes_total(&d->reading->mistakes))
		doubt_keep(d, "; so nothing ever fits it");
}

/* A name is looked up by the launcher, at the time; an address, and this machine's name, are what they are. */
static void doubt_host(struct doubting *d, const struct egress_rule *rule, const struct place *place, const char *text)
{
	struct egress_target target;
	struct hostpattern p;
	char why[EGRESS_WHY];

	if (hostpattern_parse(text, &p) < 0 || p.below)
		return;
	if (egress_rule_host(rule, p.host.name, strlen(p.host.name), p.port ? p.port : 443, &target, why) == 0)
		return;
	reading_fail(d->reading, place, "\"%s\" is reached by no browser. %s", text, why);
	doubt_keep(d, "");
}

static void doubt_hosts(struct doubting *d)
{
	const struct recipe *r = d->recipe;
	const struct place root = { 0 };
	const struct egress_words hosts = { r->hosts, r->hosts_count }, none = { 0 };
	const struct egress_words addresses = { r->private_addresses, r->private_addresses_count };
	struct egress_rule *rule;
	const char *field;
	char why[EGRESS_WHY];

	if (egress_rule_new(hosts, addresses, none, &rule, &field, why) < 0)
		return;
	for (size_t i = 0; i < r->hosts_count; i++)
		doubt_host(d, rule, PLACE_INDEX(PLACE_KEY(&root, "hosts"), i), r->hosts[i]);
	egress_rule_free(rule);
}

void doubt_all(struct reading *r, struct recipe *recipe)
{
	struct doubting d = { .reading = r, .recipe = recipe };
	const struct place root = { 0 };

	recipe->doubts = arena_array(r->arena, MOST_DOUBTS, sizeof(*recipe->doubts));
	recipe->doubts_count = 0;
	doubt_hosts(&d);
	walk_texts(&recipe_type, &root, recipe, doubt_pattern, &d);
}
