/*
 * Short messages at the foot of the page, read out by screen readers; and the box that tells of a
 * failure.
 */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { now } from "./clock.js";
import { clockTime } from "./time.js";
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

/* What is not for everybody's first sentence: which daemon, which command. */
export function ForAdministrators({ error })
{
	return error.detail ? html`<p class="small detail">For administrators: ${error.detail}</p>` : null;
}

/* When it is tried again, which a screen reader need not read out every second. */
export function RetryTime({ atMs })
{
	const seconds = Math.ceil((atMs.value - now.value) / 1000);

	return html`<span aria-hidden="true">${seconds > 0 ? ` in ${seconds} s` : " now"}</span>`;
}

/* atMs: what useRetry() said; the button is for those who do not want to wait. */
export function Trouble({ title, error, retry, atMs })
{
	const [busy, setBusy] = useState(false);

	useEffect(() => setBusy(false), [error]);

	function again()
	{
		setBusy(true);
		retry();
	}

	return html`
		<div class="box bad" role="alert">
			${title && html`<h2>${title}</h2>`}
			<p>${error.message}</p>
			<${ForAdministrators} error=${error} />
			${retry && html`<div class="row wrap"><button type="button" disabled=${busy}
				onClick=${again}>${busy ? "Trying …" : "Try again"}</button>
				${atMs?.value > 0 && html`<span class="small">It is tried again by itself<${RetryTime} atMs=${atMs} />.</span>`}</div>`}
		</div>`;
}

/*
 * A part that could not be fetched: what is away, that it is tried again, and when. away: what that means to the person, in
 * half a sentence; told only of the daemon that the part comes from, which a detail names.
 */
export function PartTrouble({ part, away })
{
	const error = part.trouble.value;

	if (!error)
		return part.slow.value && part.value.value === null ? html`<${Waiting} />` : null;
	return html`
		<div class="box warn part" role="status">
			<div class="grow"><p>${error.code === "unavailable" && error.detail ? `${away}; it is tried again by itself`
				: `${error.message} It is tried again by itself`}<${RetryTime} atMs=${part.retryAtMs} />.
				${part.value.value !== null && html` What is shown here is from
					${" "}${clockTime(part.freshAtMs.value)}.`}</p>
			<${ForAdministrators} error=${error} /></div>
			<button type="button" onClick=${() => part.refresh()}>Try now</button>
		</div>`;
}

function Waiting()
{
	return html`<p class="quiet small" role="status">Stead is slow to answer; it is waited for …</p>`;
}
