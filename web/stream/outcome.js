/*
 * What lies over the picture when it is not the person's turn: what is being done, or how it ended
 * and what now.
 */
import { useEffect, useRef } from "preact/hooks";
import { cameFrom } from "../router.js";
import { Loading } from "../parts/frame.js";
import { say } from "../parts/notice.js";
import { sites } from "../parts/store.js";
import { html } from "../parts/html.js";

function Working({ title, text })
{
	return html`<div class="veil"><div class="card verdict">
		<${Loading} what=${title} /><p class="quiet">${text}</p></div></div>`;
}

function Verdict({ tone, mark, heading, reason, advice, children })
{
	const title = useRef(null);

	/* The keys have nothing to go to in the picture any more. */
	useEffect(() => title.current.focus({ preventScroll: true }), []);
	return html`
		<div class="veil"><div class=${`card verdict ${tone}`}>
			<p class="big-mark" aria-hidden="true">${mark}</p>
			<h2 ref=${title} tabindex="-1">${heading}</h2>
			${reason && html`<p>${reason}</p>`}
			${advice && html`<p class="advice">${advice}</p>`}
			<div class="row wrap center">${children}</div>
		</div></div>`;
}

function Saved({ info, title })
{
	const from = cameFrom();
	const at = `/sites/${encodeURIComponent(info.site)}`;
	const actions = sites.value?.find((one) => one.name === info.site)?.actions.filter((action) => !action.off) ?? [];

	return html`
		<${Verdict} tone="ok" mark="✓" heading="Saved" advice=${info.reason}
			reason=${`A fresh browser has proved that this sign-in to ${title} works`
				+ `${info.account ? `, as ${info.account}` : ""}. Stead keeps it and can act for you now.`}>
			${from && html`<a class="button primary" href=${from}>Back to the booking</a>`}
			${!from && actions.map((action, i) => html`<a key=${action.name}
				class=${`button ${i ? "" : "primary"}`}
				href=${`${at}/book/${encodeURIComponent(action.name)}`}>${action.title}</a>`)}
			<a class=${`button ${from || actions.length ? "" : "primary"}`}
				href="/">To the dashboard</a>
		<//>`;
}

const ENDINGS = {
	failed: ["The sign-in was not saved", "bad", "✕"],
	timed_out: ["The sign-in has timed out", "warn", "!"],
	closed: ["The sign-in is closed", "quiet", "•"],
};

/* It works, but somebody else's is kept. */
const ASKED = ["Whose session shall Stead keep?", "warn", "?"];

function Ended({ viewer, info })
{
	const [heading, tone, mark] = info.kept ? ASKED : ENDINGS[info.step];
	const again = `/sites/${encodeURIComponent(info.site)}/sign-in`;

	return html`
		<${Verdict} tone=${tone} mark=${mark} heading=${heading} reason=${info.reason}
			advice=${info.advice}>
			${info.kept && html`<button type="button" class="primary"
				onClick=${() => viewer.speech.say("sign_in_done",
					{ in_place_of: info.kept, account: info.account })}>Act as ${info.account}</button>`}
			${info.resumable && html`<button type="button" class=${info.kept ? "" : "primary"}
				onClick=${() => viewer.speech.say("sign_in_resume")}>Go on in the
					browser</button>`}
			${info.resumable
				? html`<button type="button"
					onClick=${() => viewer.close().catch((error) => say(error.message, "bad"))}>Close it</button>`
				: html`<a class="button primary" href=${again}
					data-from=${cameFrom()}>Start again</a>`}
			<a class="button" href="/">To the dashboard</a>
		<//>`;
}

export function Outcome({ viewer, title })
{
	const info = viewer.info.value;

	/* Which has a veil of its own; or a strip, when nothing of what happens can be seen. */
	if (viewer.trouble.value || (viewer.live.value?.blocked.value && !viewer.over))
		return null;
	switch (info?.step) {
	case "starting":
		return html`<${Working} title="Starting a browser …"
			text="It is yours alone and opens the sign-in page." />`;
	case "waiting":
		return viewer.painted.value && viewer.arrived.value ? null
			: html`<${Working} title="Opening the sign-in page …"
				text="If it does not come, you will read here why." />`;
	case "signed_in":
		return html`<${Working} title="You are signed in."
			text="Stead is reading what the site has left in the browser." />`;
	case "proving":
		return info.reason ? html`<${Working} title="It works." text=${info.reason} />`
			: html`<${Working} title="Proving that it works …"
				text=${"A fresh browser tries the session before Stead says that it is saved. "
					+ "This takes a few seconds."} />`;
	case "saved":
		return html`<${Saved} info=${info} title=${title} />`;
	case "failed":
	case "timed_out":
	case "closed":
		return html`<${Ended} viewer=${viewer} info=${info} />`;
	default:
		return null;
	}
}
