/* Everything a person does to the picture, on its way into one ordered channel. */
import { toPage } from "./geometry.js";
import { keyboardAttach } from "./keyboard.js";
import { mouseAttach } from "./mouse.js";
import { touchAttach } from "./touch.js";

const RIPPLE_MS = 600;

/*
 * parts: { canvas, field, stage } elements; speech; page() the remote page's size or null;
 * allowed() whether the page may be driven now; leave() when the keyboard is to leave the picture.
 * Ends with signal.
 */
export function inputAttach({ canvas, field, stage, speech, page, allowed, leave, signal })
{
	let last = { x: 0, y: 0 };

	const input = {
		canvas, field, speech, page, leave,
		allowed: () => Boolean(page()) && allowed(),
		last: () => last,
		position(event)
		{
			last = toPage(event.clientX, event.clientY, canvas.getBoundingClientRect(),
				page());
			return last;
		},
		scale: () => page().width / canvas.getBoundingClientRect().width,
		navigate: (to) => speech.say("page_navigate_to", { to }),
		focus: () => field.focus({ preventScroll: true }),
		ripple(event)
		{
			place(field, event, stage);
			ripple(event, stage);
		},
	};

	mouseAttach(input, signal);
	touchAttach(input, signal);
	keyboardAttach(input, signal);
}

/*
 * The field follows the clicks: there an input method opens its window, and a phone scrolls to it.
 */
function place(element, event, stage)
{
	const rect = stage.getBoundingClientRect();

	element.style.left = `${Math.round(event.clientX - rect.left)}px`;
	element.style.top = `${Math.round(event.clientY - rect.top)}px`;
}

/* Shows at once that a click was taken, before the page has answered it. */
function ripple(event, stage)
{
	const ring = document.createElement("span");

	ring.className = "ripple";
	place(ring, event, stage);
	stage.append(ring);
	setTimeout(() => ring.remove(), RIPPLE_MS);
}
