/*
 * Short messages at the foot of the page, read out by screen readers; and the box that tells of a
 * failure.
 */
import { signal } from "@preact/signals";
import { html } from "./html.js";

const SHOWN_MS = 6000;
const notices = signal([]);
let count = 0;

/* tone: ok, bad or nothing; action: { label, run } */
export function say(text, tone = "", action = null)
{
	const notice = { id: ++count, text, tone, action };

	notices.value = [...notices.value.slice(-2), notice];
	setTimeout(() => drop(notice), action ? 3 * SHOWN_MS : SHOWN_MS);
}

function drop(notice)
{
	notices.value = notices.value.filter((other) => other !== notice);
}

export function Notices()
{
	return html`
		<div class="notices" role="status" aria-live="polite">
			${notices.value.map((notice) => html`
				<p key=${notice.id} class=${`notice ${notice.tone}`}>
					<span>${notice.text}</span>
					${notice.action && html`<button type="button" onClick=${() => {
						drop(notice);
						notice.action.run();
					}}>${notice.action.label}</button>`}
					<button type="button" class="plain icon" aria-label="Close this message"
						onClick=${() => drop(notice)}>✕</button>
				</p>`)}
		</div>`;
}

export function Trouble({ title, error, retry })
{
	return html`
		<div class="box bad" role="alert">
			${title && html`<h2>${title}</h2>`}
			<p>${error.message}</p>
			${retry && html`<p><button type="button" onClick=${retry}>Try again</button></p>`}
		</div>`;
}
