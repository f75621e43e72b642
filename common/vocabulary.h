/*
 * Words that more than one place speaks, declared once: rows of RPC (proto/) and of recipes take them from here, and tests hold
 * the checks of the tables, the page's own (web/parts/words.js) and the docs against them (tests/integration/vocabulary.test.mjs).
 */
#pragma once

/* How a session is. */
#define HEALTH_WORDS "working|unproved|site_down|needs_sign_in|wrong_account|not_portable|planned_sign_in"

/* Whose a session is beside its person's: the one that jobs run on, or a device's. */
#define SESSION_KIND_WORDS "background|device"

/* Where a job stands in the queue. */
#define JOB_WORDS "scheduled|behind|queued|running|waiting|done|cancelled"

/* Where a booking stands, and how it ended. */
#define BOOKING_WORDS "queued|running|sent|needs_sign_in|cancelling|done|cancelled"
#define OUTCOME_WORDS "booked|waitlisted|full|too_early|no_credit|already_booked|limit|unconfirmed|failed"

/* Where a plan stands; what it does about runs that were missed; what became of a run. */
#define PLAN_WORDS "on|paused|ended"
#define PLAN_MISSED_WORDS "run_late|skip|tell"
#define PLAN_RUN_WORDS "asked|late|missed|skipped|paused|overlap|refused"

/* How bad a line of a log is. */
#define LEVEL_WORDS "info|warning|error"

/* Where a sign-in stands, up to where it can have come before it ended. */
#define REACHED_WORDS "starting|waiting|signed_in|proving|saved"
#define SIGN_IN_WORDS REACHED_WORDS "|failed|timed_out|closed"

/* What a site's probe says. */
#define VERDICT_WORDS "in|out|inconclusive|down"
