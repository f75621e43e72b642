/*
 * The API's words as people say them, each with the tone of its colour: ok, warn, bad, busy or
 * quiet.
 */

export const HEALTH = {
	working: ["Works", "ok"],
	unproved: ["Not proved", "warn"],
	site_down: ["The site is not well", "warn"],
	wrong_account: ["Shows another account", "bad"],
	needs_sign_in: ["Needs your sign-in", "warn"],
	not_portable: ["Cannot be kept", "bad"],
	planned_sign_in: ["A sign-in is planned", "warn"],
};

export const STATES = {
	queued: ["Waiting for its turn", "quiet"],
	running: ["Under way", "busy"],
	sent: ["Sent; being looked for in your bookings", "busy"],
	needs_sign_in: ["Needs your sign-in", "warn"],
	cancelling: ["Being cancelled", "busy"],
	cancelled: ["Cancelled", "quiet"],
};

export const OUTCOMES = {
	booked: ["Booked", "ok"],
	already_booked: ["Was booked already", "ok"],
	waitlisted: ["On the waiting list", "warn"],
	too_early: ["Not open yet", "warn"],
	unconfirmed: ["Not confirmed", "warn"],
	full: ["Full", "bad"],
	no_credit: ["No credit left", "bad"],
	limit: ["Your limit is reached", "bad"],
	failed: ["Failed", "bad"],
};

export const PLANS = {
	on: ["On", "ok"],
	paused: ["Paused", "quiet"],
	ended: ["Has ended", "quiet"],
};

/* What a plan does about runs that Stead missed. */
export const PLAN_MISSED = {
	run_late: "Run the newest one late",
	skip: "Skip them",
	tell: "Skip them and tell me",
};

/* What became of a run; one that was asked for is told by its booking. */
export const PLAN_RUNS = {
	asked: ["Asked for", "ok"],
	late: ["Asked for late", "warn"],
	missed: ["Missed", "warn"],
	skipped: ["Skipped", "quiet"],
	paused: ["Paused", "quiet"],
	overlap: ["Left out", "quiet"],
	refused: ["Not asked for", "bad"],
};

export const QUEUES = {
	on: ["Goes on", "ok"],
	paused: ["Paused", "warn"],
};

/* What stands in a queue, by the names that botd has for it. */
export const QUEUE_COUNTS = [
	["running", "Under way"],
	["queued", "Waiting for a turn"],
	["scheduled", "Waiting for their time"],
	["waiting", "Waiting for a person"],
];

export const WORKERS = {
	busy: ["At work", "busy"],
	idle: ["Nothing to do", "quiet"],
	silent: ["Silent", "warn"],
	leads: ["Leads", "ok"],
};

/* What a job is, by its kind. */
export const KINDS = { booking: "Booking" };

const ENDED = ["saved", "failed", "timed_out", "closed"];

/*
 * There is no session, or none that the site still takes; of one that is only in doubt the next use tells. One that cannot be
 * kept cannot be kept the next time either.
 */
export function signInHelps(session)
{
	return !session || ["needs_sign_in", "wrong_account"].includes(session.health);
}

/* Nothing but a change at the site or in its recipe makes it of use. */
export function sessionStuck(session)
{
	return session?.health === "not_portable";
}

export function healthWords(session)
{
	return HEALTH[session.health] ?? [session.health, "quiet"];
}

/* What the site's list has not shown, its person has told. */
const TOLD = { booked: ["Booked, as you said", "ok"], failed: ["Not booked, as you said", "quiet"] };

export function bookingWords(booking)
{
	if (booking.state === "done")
		return (booking.told && TOLD[booking.outcome]) || (OUTCOMES[booking.outcome] ?? ["Done", "quiet"]);
	if (booking.state === "running" && booking.step)
		return [`Under way: step ${booking.step} of ${booking.steps}`, "busy"];
	return STATES[booking.state] ?? [booking.state, "quiet"];
}

export function bookingEnded(booking)
{
	return booking.state === "done" || booking.state === "cancelled";
}

/* One that has been sent cannot be taken back, only looked for no more. */
export function bookingCancellable(booking)
{
	return ["queued", "running", "needs_sign_in"].includes(booking.state);
}

/* With something else than what was asked for it may work. */
export function bookingChangeable(booking)
{
	return ["full", "limit", "no_credit", "too_early"].includes(booking.outcome);
}

/* It is as it was asked for, and its badge says all. */
export function bookingStands(booking)
{
	return ["booked", "already_booked"].includes(booking.outcome);
}

export function bookingRetryable(booking)
{
	return bookingEnded(booking) && !bookingStands(booking) && booking.outcome !== "waitlisted";
}

/* How it ended is known, though its browser may still be there. */
export function streamDecided(stream)
{
	return ENDED.includes(stream.step);
}

/* Its browser is still there, be it in use or parked. */
export function streamOpen(stream)
{
	return !ENDED.includes(stream.step) || (stream.step === "failed" && stream.resumable);
}

const STREAM_STEPS = {
	starting: "Starting",
	waiting: "Waiting for you",
	signed_in: "Signed in",
	proving: "Proving",
	saved: "Saved",
	failed: "Failed",
	timed_out: "Timed out",
	closed: "Closed",
};

export function stepWords(step)
{
	return STREAM_STEPS[step] ?? step;
}
