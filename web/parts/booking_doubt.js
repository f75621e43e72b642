/*
 * A booking that may have been made, and is not confirmed: what was seen of it, and what one can do. Sending it again comes
 * last, for it may book twice.
 */
import { ask } from "./dialog.js";
import { Ago, now } from "./clock.js";
import { clockTime, countdown } from "./time.js";
import { html } from "./html.js";
import { bookingRetryable } from "./words.js";

/* It may have been sent, and neither the site's list nor the person has said whether it was made. */
export function bookingInDoubt(booking)
{
	return booking.state === "sent" || (booking.state === "done" && booking.outcome === "unconfirmed")
		|| (booking.sent_at_ms > 0 && (booking.state === "needs_sign_in" || (booking.state === "done" && bookingRetryable(booking))));
}

/* The list is being read at this moment; what comes of it is there in seconds. */
function beingRead(booking)
{
	return booking.state === "sent" && !booking.next_look_at_ms;
}

function When({ ms })
{
	return html`<${Ago} ms=${ms} /> (${clockTime(ms)})`;
}

function ListSeen({ booking })
{
	if (booking.list_trouble)
		return html`could not be read: ${booking.list_trouble}${booking.list_read_at_ms
			? html` Last read <${When} ms=${booking.list_read_at_ms} />, and it was not among them.` : ""}`;
	return booking.list_read_at_ms ? html`read <${When} ms=${booking.list_read_at_ms} />; it is not among them`
		: "not read since";
}

function next(booking)
{
	const left_ms = booking.next_look_at_ms - now.value;

	if (beingRead(booking))
		return booking.step ? "once the site has answered" : "being read now";
	return left_ms > 1000 ? `in ${countdown(left_ms)}` : "in a moment";
}

export function DoubtFacts({ booking })
{
	return html`<dl class="facts doubt">
		${booking.sent_at_ms && html`<div><dt>${booking.answer ? "Sent" : "May have been sent"}</dt>
			<dd><${When} ms=${booking.sent_at_ms} /></dd></div>`}
		${booking.answer && html`<div><dt>The site's answer</dt><dd>${booking.answer}</dd></div>`}
		<div><dt>Your bookings at the site</dt><dd><${ListSeen} booking=${booking} /></dd></div>
		${booking.state === "sent" && html`<div><dt>Read again</dt><dd>${next(booking)}</dd></div>`}
	</dl>`;
}

const SETTLE = {
	yes: { title: "Did it happen?", text: "Stead then shows it as booked, as told by you, and looks for it no more.",
		yes: "It did happen", no: "Back" },
	no: { title: "Did it not happen?", text: "Stead then shows it as not booked, as told by you, and looks for it no more. "
		+ "You can have it sent again afterwards.", yes: "It did not", no: "Back" },
};

async function settle(act, happened)
{
	if (await ask(SETTLE[happened]))
		await act("settle", { happened });
}

async function sendAgain(act)
{
	const sure = await ask({
		title: "Send it again?",
		text: "It may have been booked already, and then it is booked twice. Look again, or look at the site, before you do this.",
		yes: "Send it again",
		no: "Do not send it",
		danger: true,
	});

	if (sure)
		await act("retry", { twice: true });
}

async function stop(act)
{
	const sure = await ask({
		title: "Stop looking for it?",
		text: "It cannot be withdrawn, for it may have been sent. Stead then looks for it no more, and shows it as not confirmed.",
		yes: "Stop looking",
		no: "Go on",
	});

	if (sure)
		await act("cancel");
}

/* act(verb, params): carries it out at Stead. home: the site's address, if it is known. */
export function DoubtActions({ booking, home, act })
{
	const busy = beingRead(booking);

	return html`
		${booking.state !== "needs_sign_in" && html`<button type="button" class="primary" disabled=${busy}
			onClick=${() => act("look")}>${booking.state === "sent" ? "Look now" : "Look again"}</button>`}
		<button type="button" disabled=${busy} onClick=${() => settle(act, "yes")}>It did happen</button>
		<button type="button" disabled=${busy} onClick=${() => settle(act, "no")}>It did not</button>
		${home && html`<a class="button" href=${home} target="_blank" rel="noopener">Open the site<span class="hidden"> in a new
			tab</span></a>`}
		${booking.state === "done"
			? html`<button type="button" class="plain" onClick=${() => sendAgain(act)}>Try again …</button>`
			: html`<button type="button" class="plain" disabled=${busy} onClick=${() => stop(act)}>Stop looking …</button>`}`;
}

/* What a person must know before pressing anything. */
export function DoubtWords({ booking })
{
	return html`<p class="box warn slim"><span>${booking.state === "done"
		? "Whether this was booked is not known. Stead does not send it again by itself: have it looked for, or look at the site and say what you see."
		: "It may have been sent, so Stead does not send it again. It looks for it among your bookings at the site, again and again."}</span></p>`;
}
