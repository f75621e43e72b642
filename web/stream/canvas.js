/*
 * Paints frames. One is being decoded and one more may wait; a newer one takes the place of the one
 * that waits. Painting happens in the browser's own rhythm, and only then does the sender hear that
 * the next may come. A frame that is never painted is acknowledged too, or the sender would wait
 * for it for ever.
 */
import { parseFrame } from "./frame.js";

export class Screen {
	/* The size of the remote page as last painted; null before the first frame. */
	page = null;
	#canvas;
	#context;
	#acknowledge;
	#painted;
	#decoding = false;
	#waiting = null;
	#ready = null;
	#newest = -1;
	#over = false;

	/* acknowledge(seq); painted(frame, resized) after each frame */
	constructor(canvas, { acknowledge, painted })
	{
		this.#canvas = canvas;
		this.#context = canvas.getContext("2d", { alpha: false });
		this.#acknowledge = acknowledge;
		this.#painted = painted;
	}

	show(buffer)
	{
		const frame = parseFrame(buffer);

		if (!frame || this.#over)
			return;
		if (frame.seq <= this.#newest) {
			this.#acknowledge(frame.seq);
			return;
		}
		this.#newest = frame.seq;
		if (this.#decoding) {
			if (this.#waiting)
				this.#acknowledge(this.#waiting.seq);
			this.#waiting = frame;
		} else {
			this.#decode(frame);
		}
	}

	/* A new connection numbers its frames anew. */
	restart()
	{
		this.#newest = -1;
		this.#waiting = null;
	}

	stop()
	{
		this.#over = true;
		this.#waiting = null;
		this.#ready?.bitmap.close();
		this.#ready = null;
	}

	async #decode(frame)
	{
		this.#decoding = true;
		try {
			this.#decoded(frame, await createImageBitmap(new Blob([frame.jpeg],
				{ type: "image/jpeg" })));
		} catch {
			this.#acknowledge(frame.seq); /* a picture that is no JPEG; the next one will do */
		}
		this.#decoding = false;

		const next = this.#waiting;

		this.#waiting = null;
		if (next && !this.#over)
			this.#decode(next);
	}

	#decoded(frame, bitmap)
	{
		if (this.#over) {
			bitmap.close();
			return;
		}
		if (this.#ready) {
			this.#ready.bitmap.close();
			this.#acknowledge(this.#ready.frame.seq);
		} else {
			requestAnimationFrame(() => this.#paint());
		}
		this.#ready = { frame, bitmap };
	}

	#paint()
	{
		if (!this.#ready)
			return;

		const { frame, bitmap } = this.#ready;
		const resized = this.page?.width !== frame.page.width
			|| this.page.height !== frame.page.height;

		this.#ready = null;
		this.page = frame.page;
		if (this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height) {
			this.#canvas.width = bitmap.width;
			this.#canvas.height = bitmap.height;
		}
		this.#context.drawImage(bitmap, 0, 0);
		bitmap.close();
		this.#canvas.dataset.seq = frame.seq;
		this.#acknowledge(frame.seq);
		this.#painted(frame, resized);
	}
}
