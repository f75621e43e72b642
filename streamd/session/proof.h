/*
 * The proof of a captured session: a fresh browser in which it is restored and read back, whose probe shows the expected
 * account, while the same probe without the session does not. Only what passes here may be called saved.
 *
 * Room session/, whether somebody is signed in, and the state that proves it: may include browser/ settings.h.
 */
#pragma once

#include "proto/call.h"
#include "state/state.h"
#include "streamd/browser/browser.h"
#include "streamd/session/probe.h"
#include "streamd/settings.h"

struct proof {
	/*
	 * What the probe shows, VERDICT_OUT only when two looks, the recipe's second_look_ms apart, agree; also why it could not be
	 * asked, and VERDICT_OUT with the account where it is another's.
	 */
	struct probed found;
	char not_portable[1024]; /* with VERDICT_OUT: what the site keeps where no other browser has it, a sentence; "": nothing */
	char advice[512];    /* but with VERDICT_IN: what to do next */
	bool visited;        /* the site was asked: what the browser holds may be newer than what it was given */
	struct state *after; /* with VERDICT_IN: the session after the probe, which may have rotated tokens */
};

/*
 * account: the one that must show, NULL for whichever does. Waits; ends its browser in any case. 0 with *ret filled (to be
 * freed with proof_clear()); REFUSED when no browser could be had; -ECANCELED.
 */
int proof_run(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct state *state, const char *account, struct proof *ret);

void proof_clear(struct proof *p);

/*
 * The first half, for a bot's run: a fresh browser with the session restored, its network open, on the probe's page. *ret
 * is set when the site was asked and the browser is still there, whatever came of it, for it may hold the only token that the
 * site still takes. No control without the session is made: that is the probe's, not the session's, quality,
 * and was seen when the session was saved. events: of the browser from then on.
 */
int proof_open(struct call *call, const struct streamd_settings *settings, const struct recipe *recipe,
	const struct state *state, const char *account, const struct browser_events *events, void *owner,
	struct proof *ret, struct browser **ret_browser);
