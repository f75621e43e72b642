/*
 * The keyboard. A text field that cannot be seen has the focus, so that input methods, on-screen
 * keyboards and paste work as everywhere; keys are taken from it before it types them. Text that is
 * composed is shown where it is being composed and sent when it is finished.
 */
const IS_MAC = /^(Mac|iP)/.test(navigator.platform);
const ESCAPE_TWICE_MS = 700;
/* The field is never empty: an on-screen keyboard says nothing of Backspace in an empty one. */
const SENTINEL = "\u200b\u200b";

const MODIFIER_KEYS = new Set(["Alt", "Control", "Shift"]);
const SILENT = new Set(["AltGraph", "CapsLock", "Dead", "Fn", "Meta", "NumLock", "OS", "Process",
	"ScrollLock",
	"Unidentified"]);
/*
 * What people need of their own browser, with Control or Command. Paste comes as an event of its
 * own.
 */
const KEPT_KEYS = new Set([..."lnrtwv+-=0123456789,", "tab", "pageup", "pagedown", "f4"]);
const SHIFT_KEPT_KEYS = new Set([..."cij"]);
const MAC_KEPT_KEYS = new Set([..."hmq`"]);
const MAC_MOVES = {
	ArrowLeft: ["Home", 36, 0], ArrowRight: ["End", 35, 0], ArrowUp: ["Home", 36, 2],
		ArrowDown: ["End", 35, 2],
	Backspace: ["Backspace", 8, 2],
};

/* Alt 1, Control 2, Meta 4, Shift 8 */
export function modifiersOf(event)
{
	const control = event.ctrlKey || (IS_MAC && event.metaKey);

	return (event.altKey ? 1 : 0) | (control ? 2 : 0) | (event.shiftKey ? 8 : 0);
}

function keptByBrowser(event)
{
	const command = IS_MAC ? event.metaKey : event.ctrlKey
		&& !event.getModifierState("AltGraph");

	if (["F5", "F6", "F11", "F12"].includes(event.key) && !event.shiftKey)
		return true;
	if (event.altKey && event.key === "F4")
		return true;
	if (event.shiftKey && event.key === "Insert")
		return true;
	/* The system's own key: what goes with it is never for a page, but for a Mac's Command. */
	if (event.metaKey && !IS_MAC)
		return true;

	const key = event.key.toLowerCase();

	return command && (KEPT_KEYS.has(key) || (event.shiftKey && SHIFT_KEPT_KEYS.has(key))
		|| (IS_MAC && MAC_KEPT_KEYS.has(key)));
}

/*
 * Third-level characters come with Control and Alt held on some systems, with Alt alone on a Mac.
 */
function typedText(event)
{
	if (event.key === "Enter")
		return "\r";
	if ([...event.key].length !== 1)
		return undefined;
	if (event.getModifierState("AltGraph") || (IS_MAC && event.altKey && !event.ctrlKey
		&& !event.metaKey))
		return event.key;
	return event.ctrlKey || event.altKey || event.metaKey ? undefined : event.key;
}

function keyParams(event)
{
	const text = typedText(event);
	const third = text && event.key !== "Enter" && (event.altKey || event.ctrlKey);

	return {
		key: event.key, code: event.code || "Unidentified", vk: event.keyCode & 255, text,
		location: event.location, repeat: event.repeat,
		modifiers: third ? modifiersOf(event) & 8 : modifiersOf(event),
	};
}

/* input: { field, speech, allowed(), leave(), navigate(to) } */
export function keyboardAttach(input, signal)
{
	const { field, speech } = input;
	const down = new Map();
	let composing = false;
	let escapedAt = -Infinity;

	function stroke(key, vk, modifiers = 0, text = undefined, code = key)
	{
		const params = { key, code, vk, modifiers };

		speech.say("key_event", { type: "down", ...params, text });
		speech.say("key_event", { type: "up", ...params });
	}

	function releaseAll()
	{
		for (const { key, code, vk, location } of down.values())
			speech.say("key_event", { type: "up", key, code, vk, location,
				modifiers: 0 });
		down.clear();
	}

	function reset()
	{
		if (composing)
			return;
		field.value = SENTINEL;
		field.setSelectionRange(SENTINEL.length, SENTINEL.length);
	}

	/* True when the key meant something to the viewer itself. */
	function ownKey(event)
	{
		if (event.key === "Escape" && !event.repeat) {
			const twice = event.timeStamp - escapedAt < ESCAPE_TWICE_MS;

			escapedAt = twice ? -Infinity : event.timeStamp;
			if (twice) {
				releaseAll();
				input.leave();
			}
			return twice;
		}
		if (event.altKey && !event.ctrlKey && !IS_MAC && ["ArrowLeft",
			"ArrowRight"].includes(event.key)) {
			input.navigate(event.key === "ArrowLeft" ? "back" : "forward");
			return true;
		}
		return false;
	}

	function macCommand(event)
	{
		if (MAC_MOVES[event.key]) {
			const [key, vk, modifiers] = MAC_MOVES[event.key];

			stroke(key, vk, modifiers | (event.shiftKey ? 8 : 0));
		} else {
			/* The release of a letter is never told while Command is held. */
			stroke(event.key, event.keyCode & 255, modifiersOf(event), undefined,
				event.code || "Unidentified");
		}
	}

	field.addEventListener("keydown", (event) => {
		if (event.isComposing || event.keyCode === 229 || keptByBrowser(event)
			|| !input.allowed())
			return;
		if (SILENT.has(event.key)) {
			if (event.key === "AltGraph")
				event.preventDefault();
			return; /* a dead key goes on to the field, which composes */
		}
		event.preventDefault();
		if (ownKey(event))
			return;
		if (IS_MAC && event.metaKey && !MODIFIER_KEYS.has(event.key)) {
			macCommand(event);
			return;
		}

		const params = keyParams(event);

		down.set(event.code || event.key, params);
		speech.say("key_event", { type: "down", ...params });
	}, { signal });

	field.addEventListener("keyup", (event) => {
		const pressed = down.get(event.code || event.key);

		if (!pressed)
			return;
		event.preventDefault();
		down.delete(event.code || event.key);
		/*
		 * The character may be another by now, for Shift was released first; the key is
		 * still the same.
		 */
		speech.say("key_event", {
			type: "up", key: pressed.key, code: pressed.code, vk: pressed.vk,
				location: pressed.location,
			modifiers: modifiersOf(event),
		});
	}, { signal });

	field.addEventListener("blur", () => {
		releaseAll();
		composing = false;
		field.classList.remove("composing");
		reset();
	}, { signal });

	field.addEventListener("compositionstart", () => {
		composing = true;
		field.value = "";
		field.classList.add("composing");
	}, { signal });

	field.addEventListener("compositionend", (event) => {
		composing = false;
		field.classList.remove("composing");
		if (event.data && input.allowed())
			speech.text(event.data);
		/* Some browsers still put the text into the field after this. */
		setTimeout(reset);
	}, { signal });

	field.addEventListener("paste", (event) => {
		event.preventDefault();
		if (input.allowed())
			speech.text(event.clipboardData.getData("text/plain"));
	}, { signal });

	touchKeyboardAttach({ ...input, stroke, reset, composing: () => composing }, signal);
	field.addEventListener("focus", reset, { signal });
	reset();
}

/* On-screen keyboards and password managers change the field without naming keys. */
function touchKeyboardAttach({ field, speech, allowed, stroke, reset, composing }, signal)
{
	field.addEventListener("beforeinput", (event) => {
		if (composing() || event.isComposing || !event.cancelable)
			return;
		if (event.inputType === "insertCompositionText")
			return;
		event.preventDefault();
		if (!allowed())
			return;
		if (event.inputType === "deleteContentBackward")
			stroke("Backspace", 8);
		else if (event.inputType === "deleteWordBackward")
			stroke("Backspace", 8, 2);
		else if (event.inputType === "deleteContentForward")
			stroke("Delete", 46);
		else if (event.inputType === "insertLineBreak"
			|| event.inputType === "insertParagraph")
			stroke("Enter", 13, 0, "\r");
		else
			speech.text(event.data ?? event.dataTransfer?.getData("text/plain") ?? "");
	}, { signal });

	field.addEventListener("input", (event) => {
		if (composing() || event.isComposing || event.inputType === "insertCompositionText")
			return;

		const text = field.value.replaceAll("\u200b", "");
		const missing = SENTINEL.length - (field.value.length - text.length);

		for (let i = 0; i < missing && allowed(); i++)
			stroke("Backspace", 8);
		if (text && allowed())
			speech.text(text);
		reset();
	}, { signal });
}
