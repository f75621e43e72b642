/* Plans as callers see them, and their runs to come. */
#pragma once

#include "botd/handlers.h"
#include "botd/order.h"
#include "db/db.h"
#include "proto/call.h"

/* An instant in words, by the clock of a zone: "Monday, 7 December 2026, 08:00". */
#define AT_WORDS(at_, zone_)                                                                       \
	"to_char(" at_ " AT TIME ZONE " zone_ ", 'FMDay, FMDD FMMonth YYYY, HH24:MI' || "          \
	"CASE WHEN extract(second FROM " at_ ") = 0 THEN '' ELSE ':SS' END)"

/* The instants of a plan p behind since_, up to most_. */
#define PLAN_INSTANTS(since_, most_)                                                               \
	"jobs.plan_instants(p.days, p.times, p.first_day, p.last_day, p.time_zone, " since_ ", " most_ ")"

/* Its runs to come, without those that a pause leaves out: how far on they begin, and so many instants that most_ of them run. */
#define PLAN_SINCE         "greatest(now(), CASE WHEN p.paused_until < 'infinity' THEN p.paused_until - interval '1 us' END)"
#define PLAN_AHEAD(most_)  PLAN_INSTANTS(PLAN_SINCE, most_ " + cardinality(p.skips) * cardinality(p.times)")

/* The columns that plan_read() reads, and the tables that they are of. */
#define PLAN_COLUMNS                                                                               \
	"p.id, p.user_id, p.site, p.action, p.title, p.inputs, p.time_zone, array_to_string(p.days, ' ') AS days, " \
	"array_to_string(p.times, ' ') AS times, p.first_day::text AS first_day, p.last_day::text AS last_day, p.missed, p.paused_until, " \
	"p.paused_until > now() AS paused, p.next_at IS NULL AS ended, p.created_at, n.at AS next_at, n.day::text AS next_day, " \
	AT_WORDS("n.at", "p.time_zone") " AS next_when, l.reason AS last_reason"
#define PLAN_TABLES                                                                                \
	"jobs.plans p LEFT JOIN LATERAL (SELECT i.at, i.day FROM " PLAN_AHEAD("1") " i WHERE NOT i.day = ANY (p.skips) " \
	"AND p.paused_until < 'infinity' ORDER BY i.at LIMIT 1) n ON true "                        \
	"LEFT JOIN LATERAL (SELECT " AT_WORDS("x.at", "p.time_zone") " || ': ' || x.reason AS reason FROM (SELECT r.at, r.reason, r.became " \
	"FROM jobs.plan_runs r WHERE r.plan_id = p.id ORDER BY r.at DESC LIMIT 1) x "              \
	"WHERE x.became = 'refused' OR (x.became = 'missed' AND p.missed = 'tell')) l ON true"

/* Fills *ret from a row; what it points to belongs to the call. */
void plan_read(struct call *call, const struct db_result *row, struct plan_info *ret);

/* Why a plan can ask for nothing just now: its recipe or action is not there, or off. A sentence; NULL: it can. */
const char *plan_trouble(struct call *call, const char *site, const char *action);

/* Who a call changes the plan as, as booking_owner(). */
int plan_owner(struct call *call, int64_t id, struct db_who *ret);

/* The plan, in the call's arena. 0, REFUSED when there is none or it is not theirs, or a negative errno. */
int plan_find(struct call *call, struct db_who who, int64_t id, struct plan_info **ret);

/* ERR_not_found for a plan. */
int plan_refuse(struct call *call, int64_t id);

/*
 * The next five runs of a schedule that has been checked, in the call's arena. 0, REFUSED when there is none, or PostgreSQL does
 * not know the zone, or a negative errno.
 */
int plan_runs_ahead(struct call *call, const struct plan_schedule *s, const char *zone, struct plan_run **ret, size_t *ret_count);
