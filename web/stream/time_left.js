import { now } from "../parts/clock.js";
import { countdown } from "../parts/time.js";
import { html } from "../parts/html.js";

const SHOWN_MS = 5 * 60000;
const URGENT_MS = 60000;

/*
 * Said only when it begins to matter, with what the person can do about it; and to a screen reader
 * once, not by the second.
 */
export function TimeLeft({ viewer })
{
	const { ends_at_ms: end, limit, soon } = viewer.limit.value ?? {};
	const left = (end ?? 0) - now.value;
	const idle = limit === "idle";

	/* A limit that every key puts off needs no word before it is asked whether somebody is there. */
	if (!end || viewer.over || (!soon && (idle || left > SHOWN_MS)))
		return null;
	return html`
		<span class=${`time-left small ${left < URGENT_MS ? "bad-text" : "quiet"}`}>
			<span aria-hidden="true">Closes in ${countdown(left)}<span class="why">${idle
				? " if nothing happens" : " in any case"}</span></span>
			<span class="hidden" role="status">${idle
				? "The sign-in closes soon if nothing happens."
				: "The sign-in closes soon in any case; it has been open for as long as is allowed."}</span>
			${idle && html`<button type="button" class="stay"
				onClick=${() => viewer.speech.say("stay")}>Stay</button>`}
		</span>`;
}
