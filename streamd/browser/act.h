/*
 * An act on the wire: what a page sends when a run acts is held back until it may go, and then leaves once.
 *
 * Chromium repeats a request by itself when a reused or preconnected connection ends without an answer and when the answer
 * is 408 or 421. So whatever may act (any unsafe method, and a page's own navigation, for GET may act too) goes alone: the
 * launcher lets nothing more be asked over the connections to its host, and the browser make one, which nothing else uses, and
 * no other until it is answered (egress_alone). That holds for pages, frames of other hosts, workers and service workers alike,
 * for requests are paused on the browser's own session. What goes over a WebSocket is not held back; it is only noticed.
 *
 * A GET may act as well, though it mostly does not: one that pages have not asked for before is held back until it is known that
 * something may have been sent (counts(), in act.c). What has acted once is sent again by no document that is loaded again or gone
 * back to, as long as the browser lives (act_again.c).
 *
 * One per browser that acts, off until act_watch().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/cbor.h"

struct act;
struct browser;
struct egress_rule;
struct target;

struct act *act_new(struct browser *b);

/* In a fiber, once the browser has been killed: what is held back leaves otherwise. Takes NULL, returns NULL. */
struct act *act_free(struct act *a);

/* Before the first page is there: what is loaded earlier cannot be paused later. 0 or as cdp_call(). */
int act_prepare(struct act *a, int64_t deadline);

/* What the launcher goes by: what it refuses is no act. Takes it over. */
void act_go_by(struct act *a, struct egress_rule *rule);

/* What the browser says, once browser_hear_answers() is on also of pages; true if it was for this alone. */
bool act_event(struct act *a, const char *session, const char *method, const struct cbor *params);

/*
 * What pages send is noticed from now on. Once a step presses, the first request that may act is held back, and with it all
 * that come then: what a page sends while the element is still waited for is no act. 0 or as cdp_call().
 */
int act_watch(struct act *a, int64_t deadline);

/*
 * What is sent to the browser next, without a wait between, is a press: what act_watch() waits for, if it does. Takes NULL. And
 * whether there has been one since act_watch().
 */
void act_press(struct act *a);
bool act_pressed(const struct act *a);

/*
 * The page is given input, by a press or otherwise: act_await_answer() waits for what it sends of that. And waits whether it sends
 * anything of it that may act: 0, -ETIMEDOUT (nothing, or it would not be noticed), -ECANCELED. Both take NULL.
 */
void act_input(struct act *a);
int act_await_noticed(struct act *a);

/* How much that may act pages have asked for so far. Takes NULL. */
size_t act_noticed(const struct act *a);

/*
 * Waits until something is held back, or was sent over a WebSocket, or *over (may be NULL; act_tell() after it has been
 * set): 0, -ETIMEDOUT, -ECANCELED.
 */
int act_await_held(struct act *a, int64_t deadline, const bool *over);
void act_tell(struct act *a);

/* Waits for *over alone. */
int act_await_told(struct act *a, int64_t deadline, const bool *over);

bool act_holds(const struct act *a);

/* What is held back, for a sentence: its method and address. */
const char *act_words(const struct act *a, struct arena *arena);

/* Lets it go; whatever may act from now on goes alone, until act_leave(). */
void act_send(struct act *a);

enum act_answer { ACT_ANSWERED, ACT_OPEN, ACT_LOST, ACT_UNSENT };

/*
 * Waits until all that went has been answered, as has what a script asks for since and had not asked for before, and nothing more
 * that may act has come for settle_ms (three seconds, if none of it could leave), or the deadline; in any case that what the page
 * has been given as input since may still make it send has come, or does not come for three seconds. settle_ms 0: that alone. 0 or
 * -ECANCELED.
 */
int act_await_answer(struct act *a, int64_t settle_ms, int64_t deadline);

/* What became of all that went so far; *ret_status 0 if there is none, *ret_why "" if nothing is to be said. */
enum act_answer act_answer(const struct act *a, struct arena *arena, int *ret_status, const char **ret_why);

/* Whether all that went so far are GETs that only may act, so that the act itself may still come. */
bool act_only_reads(const struct act *a);

/* Whether something that may act has been let go and not been answered whole: the page may not be left, nor the network cut. */
bool act_is_open(const struct act *a);

/* Waits until that is over: 0, -ETIMEDOUT, -ECANCELED. */
int act_await_over(struct act *a, int64_t deadline);

/* The page is about to be left: what it would send to act from now on is refused, as is what is held back. */
void act_stop(struct act *a);

/*
 * The page is left. If something is still open, other requests to its host may go from now on, on connections over which
 * nothing more is asked as soon as anything is heard of it.
 */
void act_leave(struct act *a);

/* Whether anything has been held back since act_watch(), up to act_leave(): whatever page is there may have more to send. */
bool act_has_begun(const struct act *a);

/*
 * A page apart: opened beside the one that acts and still waits for its answer. What it sends, as do its frames and the pages that
 * it opens, is no part of the act, and goes, but for what it says while it is hushed.
 */
void act_go_apart(struct act *a, const struct target *page);
bool act_is_apart(const struct act *a, const struct target *page);
void act_hush(struct act *a, bool on);
