/*
 * What the person should know of the page and its picture does not show: over its foot, so that
 * nothing moves under the pointer, and until it is closed or no longer so.
 */
import { html } from "../parts/html.js";
import { copyNow } from "./clipboard.js";

function Note({ tone, text, advice, children, close })
{
	return html`
		<div class=${`note ${tone === "plain" ? "" : tone}`}>
			<p class="grow"><strong>${text}</strong>${advice && html` <span>${advice}</span>`}</p>
			<span class="row">${children}
				${close && html`<button type="button" class="plain icon" aria-label="Close this message"
					onClick=${close}>✕</button>`}</span>
		</div>`;
}

/* The page has put something on the clipboard of its own: one press, and it is on the person's. */
function Offer({ viewer })
{
	const text = viewer.offer.value;
	const done = () => {
		viewer.offer.value = null;
	};

	if (text === null)
		return null;
	return html`
		<${Note} tone="plain" text="The page has copied something." close=${done}>
			<button type="button" class="primary" onClick=${() => copyNow(text).then(done)}>Copy</button>
		<//>`;
}

export function Strip({ viewer })
{
	const { step, reason, advice } = viewer.info.value ?? {};
	const waits = step === "waiting" && reason && viewer.readReason.value !== viewer.info.value;

	/* What is being done with the page, or how it ended, has the room then. */
	if (!["starting", "waiting"].includes(step))
		return html`<div class="strip" role="status"></div>`;
	return html`
		<div class="strip" role="status" aria-live="polite">
			${waits && html`<${Note} tone="warn" text=${reason} advice=${advice}
				close=${() => viewer.closeReason()} />`}
			${viewer.notes.value.map((note) => html`
				<${Note} key=${note.note} ...${note} close=${() => viewer.closeNote(note.note)}>
					${note.reload && html`<button type="button" disabled=${!viewer.driven}
						onClick=${() => viewer.speech.say("page_navigate_to", { to: "reload" })}>Reload</button>`}
				<//>`)}
			<${Offer} viewer=${viewer} />
		</div>`;
}
