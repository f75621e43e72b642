/* What a keyboard has and a phone has not, and the way out for those who have only a keyboard. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { say } from "../parts/notice.js";
import { html } from "../parts/html.js";
import { pasteIn } from "./clipboard.js";

const KEYS = [["Tab", "Tab", 9], ["Esc", "Escape", 27], ["Enter", "Enter", 13]];

/* A finger is what the person has, or has just used. */
const touched = signal(matchMedia("(pointer: coarse)").matches);

addEventListener("pointerdown", (event) => {
	if (event.pointerType === "touch")
		touched.value = true;
}, { capture: true });

/* The button that was tapped must not keep the keyboard. */
function backToPage(field)
{
	field.current.focus({ preventScroll: true });
}

function press(viewer, field, key, vk)
{
	viewer.speech.say("key_event", { type: "down", key, code: key, vk, text: key === "Enter"
		? "\r" : undefined });
	viewer.speech.say("key_event", { type: "up", key, code: key, vk });
	backToPage(field);
}

/* Where the focus goes when the keyboard leaves the page. */
export function viewerLeave()
{
	document.getElementById("done")?.focus();
}

/* There from the beginning, or the page would change its size when it may first be used. */
export function Tools({ viewer, field })
{
	if (viewer.over)
		return null;
	return touched.value
		? html`<${TouchKeys} viewer=${viewer} field=${field} />`
		: html`<p class="tools small quiet">Keys go to the page; Escape twice leaves it.
			<button type="button" class="plain" disabled=${!viewer.driven}
				onClick=${viewerLeave}>Leave the
				page</button></p>`;
}

function TouchKeys({ viewer, field })
{
	const [keyboard, setKeyboard] = useState(false);

	/*
	 * With inputmode none the field can have the focus without an on-screen keyboard at every
	 * tap.
	 */
	useEffect(() => {
		field.current.inputMode = keyboard ? "text" : "none";
	}, [keyboard]);

	/*
	 * The field that was tapped has told by now that it takes text; in the moments after a tap a
	 * phone still lets its keyboard be raised.
	 */
	useEffect(() => {
		if (viewer.typing.value !== keyboard && document.activeElement === field.current)
			toggle();
	}, [viewer.typing.value]);

	function toggle()
	{
		field.current.inputMode = keyboard ? "none" : "text";
		field.current.blur();
		backToPage(field);
		setKeyboard(!keyboard);
	}

	async function paste()
	{
		const text = await pasteIn();

		if (text === null)
			say("Your browser does not let Stead read the clipboard; use the keyboard's own paste.", "bad");
		else
			viewer.speech.text(text);
		backToPage(field);
	}

	return html`
		<div class="tools touch" role="group" aria-label="Keys">
			<button type="button" aria-pressed=${String(keyboard)} disabled=${!viewer.driven}
				onClick=${toggle}>Keyboard</button>
			<button type="button" disabled=${!viewer.driven} onClick=${paste}>Paste</button>
			${KEYS.map(([label, key, vk]) => html`<button key=${key} type="button"
				disabled=${!viewer.driven}
				onClick=${() => press(viewer, field, key, vk)}>${label}</button>`)}
		</div>`;
}
