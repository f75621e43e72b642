/*
 * What is asked for, by a person or by a plan of theirs, on its way to a booking: the recipe's action found, its inputs checked,
 * the whole put in words. What does not fit is a refusal of the call.
 */
#pragma once

#include "db/db.h"
#include "proto/call.h"
#include "recipe/recipe.h"

/* Begins as { .call, .site, .action_name, .given }; what is borrowed outlives it. */
struct order {
	struct call *call;
	const char *site, *action_name;
	const json_t *given;
	/* From here on found by order_find() and order_check(). */
	const struct recipe *recipe; /* a reference: order_end() */
	const struct recipe_action *action;
	json_t *inputs; /* kept by the call */
	const char *text, *title;
};

/* Finds recipe and action. 0 or REFUSED. */
int order_find(struct order *o);

/* Then checks the inputs, as they may be asked for on that day ("2025-11-20"; NULL: today at the site), and describes it. Likewise. */
int order_check(struct order *o, const char *today);

/* Which day it is at the site of an order that has been found. */
void order_today(const struct order *o, char out[11]);

void order_end(struct order *o);

/*
 * One booking with its job and the first line of its log, unless the key is there already, the person ($1) has as many that wait
 * as they may ($8), or where_ does not hold. $2 key, $3 site, $4 action, $5 title, $6 inputs, $7 the line. The job's number, if one
 * was made, is in m.
 */
#define ORDER_INSERT(where_)                                                                       \
	"j AS (INSERT INTO jobs.jobs (user_id, kind, queue, lane, key, last_line) "                \
	"SELECT $1, 'booking', $3, $3, $2, 1 WHERE (SELECT count(*) FROM (SELECT FROM jobs.jobs WHERE user_id = $1 " \
	"AND kind = 'booking' AND state IN ('scheduled', 'behind', 'queued', 'waiting') LIMIT $8) w) < $8 " where_ \
	"ON CONFLICT ON CONSTRAINT jobs_key DO NOTHING RETURNING id, user_id), "                   \
	"b AS (INSERT INTO jobs.bookings (id, user_id, site, action, title, inputs) SELECT id, user_id, $3, $4, $5, $6::json FROM j), " \
	"m AS (INSERT INTO jobs.lines (job_id, n, user_id, attempt, level, text) "                 \
	"SELECT id, 1, user_id, 0, 'info', $7 FROM j RETURNING job_id) "
