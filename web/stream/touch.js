/*
 * Fingers on the picture: a tap clicks, a second tap at once double-clicks, a drag scrolls, a long
 * press is the right button, and a drag after a long press holds the left one (to select, or to
 * move something). Two fingers stay with the viewer's own browser, which zooms.
 */
const SLOP_PX = 10;
const LONG_MS = 500;
const DOUBLE_MS = 320;
const DOUBLE_PX = 30;

function far(a, b, px)
{
	return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) > px;
}

/* input: as for mouseAttach */
export function touchAttach(input, signal)
{
	const { canvas, speech } = input;
	const fingers = new Set();
	let gesture = null; /* { kind: "tap", "scroll", "hold" or "drag", start, last, timer } */
	let lastTap = null;

	function mouse(type, event, button, clicks)
	{
		speech.say("mouse_event", {
			type, ...input.position(event), button, clicks,
			buttons: type === "press" ? (button === "right" ? 2 : 1) : 0,
		});
	}

	function click(event, button, clicks)
	{
		input.ripple(event);
		speech.say("mouse_event", { type: "move", ...input.position(event), buttons: 0 });
		mouse("press", event, button, clicks);
		mouse("release", event, button, clicks);
	}

	function tap(event)
	{
		const double = lastTap && event.timeStamp - lastTap.timeStamp < DOUBLE_MS
			&& !far(event, lastTap, DOUBLE_PX);

		lastTap = double ? null : event;
		input.focus();
		click(event, "left", double ? 2 : 1);
	}

	function hold()
	{
		gesture.kind = "hold";
		input.ripple(gesture.start);
	}

	function giveUp()
	{
		if (gesture?.kind === "drag")
			mouse("release", gesture.last, "left", 1);
		clearTimeout(gesture?.timer);
		gesture = null;
	}

	canvas.addEventListener("pointerdown", (event) => {
		if (event.pointerType !== "touch")
			return;
		fingers.add(event.pointerId);
		if (fingers.size > 1 || !input.allowed()) {
			giveUp();
			return;
		}
		gesture = { kind: "tap", start: event, last: event, timer: setTimeout(hold,
			LONG_MS) };
		canvas.setPointerCapture(event.pointerId);
	}, { signal });

	canvas.addEventListener("pointermove", (event) => {
		if (event.pointerType !== "touch" || !gesture)
			return;
		if (gesture.kind === "tap" && far(event, gesture.start, SLOP_PX)) {
			clearTimeout(gesture.timer);
			gesture.kind = "scroll";
		} else if (gesture.kind === "hold" && far(event, gesture.start, SLOP_PX)) {
			gesture.kind = "drag";
			mouse("press", gesture.start, "left", 1);
		}
		if (gesture.kind === "scroll")
			speech.say("wheel_event", {
				...input.position(gesture.start),
				dx: (gesture.last.clientX - event.clientX) * input.scale(),
				dy: (gesture.last.clientY - event.clientY) * input.scale(),
			});
		else if (gesture.kind === "drag")
			speech.move({ ...input.position(event), buttons: 1 });
		/* A finger that rests within the slop has not moved yet. */
		if (gesture.kind === "scroll" || gesture.kind === "drag")
			gesture.last = event;
	}, { signal });

	canvas.addEventListener("pointerup", (event) => {
		fingers.delete(event.pointerId);
		if (event.pointerType !== "touch" || !gesture)
			return;
		clearTimeout(gesture.timer);
		if (gesture.kind === "tap")
			tap(event);
		else if (gesture.kind === "hold")
			click(event, "right", 1);
		else if (gesture.kind === "drag")
			mouse("release", event, "left", 1);
		gesture = null;
	}, { signal });

	canvas.addEventListener("pointercancel", (event) => {
		fingers.delete(event.pointerId);
		giveUp();
	}, { signal });

	/* Else the browser would make a mouse of the finger, and every tap would click twice. */
	canvas.addEventListener("touchend", (event) => event.cancelable && event.preventDefault(),
		{ signal });
}
