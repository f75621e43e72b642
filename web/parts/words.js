/*
 * The API's words as people say them, each with the tone of its colour: ok, warn, bad, busy or
 * quiet.
 */

const HEALTH = {
	healthy: ["Works", "ok"],
	suspect: ["In doubt", "warn"],
	needs_sign_in: ["Needs your sign-in", "bad"],
	not_portable: ["Cannot be kept", "bad"],
};

const STATES = {
	queued: ["Waiting for its turn", "quiet"],
	running: ["Under way", "busy"],
	needs_sign_in: ["Needs your sign-in", "warn"],
	cancelled: ["Cancelled", "quiet"],
};

const OUTCOMES = {
	booked: ["Booked", "ok"],
	already_booked: ["Was booked already", "ok"],
	waitlisted: ["On the waiting list", "warn"],
	too_early: ["Not open yet", "warn"],
	unconfirmed: ["Not confirmed: look at the site", "warn"],
	full: ["Full", "bad"],
	no_credit: ["No credit left", "bad"],
	limit: ["Your limit is reached", "bad"],
	failed: ["Failed", "bad"],
};

const ENDED = ["saved", "failed", "timed_out", "closed"];

export function healthWords(session)
{
	return HEALTH[session.health] ?? [session.health, "quiet"];
}

export function bookingWords(booking)
{
	if (booking.state === "done")
		return OUTCOMES[booking.outcome] ?? ["Done", "quiet"];
	return STATES[booking.state] ?? [booking.state, "quiet"];
}

export function bookingEnded(booking)
{
	return booking.state === "done" || booking.state === "cancelled";
}

/* One that is under way cannot be stopped safely. */
export function bookingCancellable(booking)
{
	return ["queued", "needs_sign_in"].includes(booking.state);
}

export function bookingRetryable(booking)
{
	return bookingEnded(booking) && !["booked", "already_booked",
	"waitlisted"].includes(booking.outcome);
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
