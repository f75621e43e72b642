import { countdown, now } from "../parts/time.js";
import { html } from "../parts/html.js";

const SHOWN_MS = 5 * 60000;
const URGENT_MS = 60000;

/* Said only when it begins to matter. */
export function TimeLeft({ viewer })
{
	const left = viewer.endsAtMs.value - now.value;

	if (!viewer.endsAtMs.value || left > SHOWN_MS)
		return null;
	return html`<span class=${`time-left small ${left < URGENT_MS ? "bad-text" : "quiet"}`}>
		Closes in ${countdown(left)}<span class="idle"> if nothing happens</span></span>`;
}
