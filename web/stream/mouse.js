/*
 * The mouse over the picture. A button held down keeps the picture's attention outside of it, as in
 * a real window.
 */
import { modifiersOf } from "./keyboard.js";

const BUTTONS = ["left", "middle", "right", "back", "forward"];
const LINE_PX = 40;

/* Some mice count in lines or pages. */
function wheelFactor(event, page)
{
	if (event.deltaMode === WheelEvent.DOM_DELTA_LINE)
		return LINE_PX;
	return event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? page.height : 1;
}

/* input: { canvas, speech, position(event), scale(), allowed(), page(), focus(), ripple(event) } */
export function mouseAttach(input, signal)
{
	const { canvas, speech } = input;
	const held = new Set();

	function params(event)
	{
		return { ...input.position(event), buttons: event.buttons & 31,
			modifiers: modifiersOf(event) };
	}

	function release(button, event)
	{
		held.delete(button);
		speech.say("mouse_event", {
			type: "release", ...params(event), button: BUTTONS[button],
			clicks: Math.min(3, event.detail || 1),
		});
	}

	canvas.addEventListener("mousedown", (event) => {
		event.preventDefault();
		if (!input.allowed() || !BUTTONS[event.button])
			return;
		input.focus();
		held.add(event.button);
		input.ripple(event);
		speech.say("mouse_event", {
			type: "press", ...params(event), button: BUTTONS[event.button],
			clicks: Math.min(3, event.detail || 1),
		});
	}, { signal });

	addEventListener("mouseup", (event) => {
		if (!held.has(event.button))
			return;
		event.preventDefault();
		release(event.button, event);
	}, { signal });

	addEventListener("mousemove", (event) => {
		if (held.size || (event.target === canvas && input.allowed()))
			speech.move(params(event));
	}, { signal });

	/* Nobody tells us of a release that happens while another window has the focus. */
	addEventListener("blur", () => {
		for (const button of held)
			speech.say("mouse_event", { type: "release", ...input.last(),
				button: BUTTONS[button], buttons: 0, clicks: 1 });
		held.clear();
	}, { signal });

	canvas.addEventListener("wheel", (event) => {
		if (event.ctrlKey || !input.allowed())
			return; /* zooming is the viewer's own */
		event.preventDefault();

		const factor = wheelFactor(event, input.page()) * (event.deltaMode ? 1
			: input.scale());

		speech.say("wheel_event", {
			...input.position(event), dx: event.deltaX * factor,
				dy: event.deltaY * factor,
			modifiers: modifiersOf(event),
		});
	}, { signal, passive: false });

	canvas.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
	/* The mouse's own back button belongs to the remote page while the pointer is over it. */
	canvas.addEventListener("auxclick", (event) => event.preventDefault(), { signal });
}
