/*
 * What a viewer says: the METHODs of proto/viewer.def, in exactly the order in which things
 * happened. Only moves of the pointer that directly follow one another are merged, one for each
 * picture of our own screen; whatever else happens first sends the move that is pending.
 */
const PASTE_BYTES = 16000;
const encoder = new TextEncoder();

export class Speech {
	#notify;
	#move = null;
	#timer = null;

	/* notify(method, params) */
	constructor(notify)
	{
		this.#notify = notify;
	}

	say(method, params = {})
	{
		this.#flush();
		this.#notify(method, params);
	}

	move(params)
	{
		this.#move = params;
		this.#timer ??= requestAnimationFrame(() => this.#flush());
	}

	text(text)
	{
		for (const piece of pieces(sendable(text)))
			this.say("text_insert", { text: piece });
	}

	#flush()
	{
		cancelAnimationFrame(this.#timer);
		this.#timer = null;
		if (!this.#move)
			return;

		const move = this.#move;

		this.#move = null;
		this.#notify("mouse_event", { type: "move", ...move });
	}
}

/*
 * NUL and halves of surrogate pairs are no text; JSON readers refuse them, and with them the whole
 * message.
 */
function sendable(text)
{
	return text
		.replaceAll("\r\n", "\n")
		.replaceAll("\0", "")
		.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
			"\uFFFD");
}

/* In pieces that fit into a message, never cut inside a character. */
function* pieces(text)
{
	let piece = "";
	let bytes = 0;

	for (const character of text) {
		const more = encoder.encode(character).length;

		if (bytes + more > PASTE_BYTES) {
			yield piece;
			piece = "";
			bytes = 0;
		}
		piece += character;
		bytes += more;
	}
	if (piece)
		yield piece;
}
