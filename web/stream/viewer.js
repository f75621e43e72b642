/*
 * One stream as its page sees it: everything that streamd has said, as signals, and everything one
 * can say to it.
 */
import { batch, signal } from "@preact/signals";
import { get, post, Refusal } from "../api.js";
import { Live } from "../parts/live.js";
import { streamDecided, streamOpen } from "../parts/words.js";
import { copyOut } from "./clipboard.js";
import { Screen } from "./canvas.js";
import { Speech } from "./socket.js";
import { roomFor } from "./geometry.js";

const RESIZE_MS = 200;
const ENDED = {
	4403: "This sign-in belongs to another account.",
	4429: "Too many pages show this sign-in already. Close some of them, then reload this one.",
	4404: "There is no such sign-in any more; it ended some time ago, or Stead was restarted.",
};

function ended(code)
{
	return new Refusal({ message: ENDED[code], status: code - 4000 });
}

export class Viewer {
	info = signal(null); /* stream_info, kept current by step_changed */
	limit = signal(null); /* limit_changed */
	page = signal(null); /* page_changed */
	tabs = signal([]);
	notes = signal([]); /* note_shown */
	readReason = signal(null); /* the info whose reason has been read */
	offer = signal(null); /* text that the page has copied */
	typing = signal(false); /* keyboard_wanted */
	menu = signal(null);
	dialog = signal(null);
	refused = signal([]);
	painted = signal(false);
	/* The sign-in page has begun to come; before that the browser shows an empty one. */
	arrived = signal(false);
	trouble = signal(null);
	live = signal(null);
	#screen = null;
	#room = null;
	#timer = null;
	#over = false;

	constructor(id)
	{
		this.id = id;
		this.speech = new Speech((method, params) => this.live.value?.notify(method,
			params));
	}

	get driven()
	{
		return this.info.value?.step === "waiting"
			&& this.live.value?.state.value === "open";
	}

	/* Nothing more can happen in it. */
	get over()
	{
		return this.info.value !== null && !streamOpen(this.info.value);
	}

	get size()
	{
		return this.#screen?.page ?? null;
	}

	/* canvas: where to paint; painted(resized) after each frame */
	async start(canvas, painted)
	{
		this.#screen = new Screen(canvas, {
			acknowledge: (seq) => this.live.value?.notify("frame_ack", { seq }),
			painted: (frame, resized) => {
				this.painted.value = true;
				painted(resized);
			},
		});
		this.shown = () => this.live.value?.notify("view_show",
			{ visible: !document.hidden });
		document.addEventListener("visibilitychange", this.shown);
		await this.load();
	}

	async load()
	{
		try {
			const goOn = await this.#refresh();

			this.trouble.value = null;
			if (goOn && !this.#over)
				this.#connect();
		} catch (error) {
			this.trouble.value = error.status === 404 ? ended(4404) : error;
		}
	}

	stop()
	{
		this.#over = true;
		clearTimeout(this.#timer);
		document.removeEventListener("visibilitychange", this.shown);
		this.live.value?.stop();
		this.#screen?.stop();
	}

	resize(width, height)
	{
		const room = roomFor(width, height);

		if (room.width === this.#room?.width && room.height === this.#room?.height)
			return;
		this.#room = room;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.live.value?.notify("view_resize", room),
			RESIZE_MS);
	}

	choose(option)
	{
		this.speech.say("option_choose", { menu: this.menu.value.menu, option });
		this.menu.value = null;
	}

	answer(accept, text, name)
	{
		/* An empty text is the same as none; a text of no bytes cannot be sent. */
		this.speech.say("dialog_answer", { dialog: this.dialog.value.dialog, accept,
			name: name || undefined, text: text || undefined });
		this.dialog.value = null;
	}

	closeReason()
	{
		this.readReason.value = this.info.value;
	}

	closeNote(note)
	{
		this.speech.say("note_close", { note });
		this.#dropNote(note);
	}

	#dropNote(note)
	{
		this.notes.value = this.notes.value.filter((one) => one.note !== note);
	}

	close()
	{
		return post(`/streams/${encodeURIComponent(this.id)}/close`);
	}

	/* Whether there is still something to connect to. */
	async #refresh()
	{
		const { stream } = await get(`/streams/${encodeURIComponent(this.id)}`);

		this.#step(stream);
		return streamOpen(stream);
	}

	#connect()
	{
		this.live.value?.stop();
		this.live.value = new Live({
			path: () => `/ws/streams/${encodeURIComponent(this.id)}`,
			check: () => this.#refresh(),
			open: () => this.#opened(),
			notification: (method, params) => this.#heard(method, params),
			binary: (buffer) => this.#screen.show(buffer),
			end: (code) => this.#ended(code),
		});
	}

	#opened()
	{
		batch(() => {
			this.menu.value = null;
			this.dialog.value = null;
			this.notes.value = [];
			this.tabs.value = [];
		});
		this.#screen.restart();
		if (this.#room)
			this.live.value.notify("view_resize", this.#room);
		this.shown();
	}

	async #ended(code)
	{
		batch(() => {
			this.menu.value = null;
			this.dialog.value = null;
		});
		try {
			await this.#refresh();
			if (code === 4429)
				this.trouble.value = ended(code);
		} catch (error) {
			if (!this.#keepVerdict())
				this.trouble.value = ENDED[code] ? ended(code) : error;
		}
	}

	/* A verdict stands, whatever has become of the browser since; only what it offered to do in that browser goes. */
	#keepVerdict()
	{
		const info = this.info.value;

		if (!info || !streamDecided(info))
			return false;
		if (info.resumable || info.kept)
			this.#step({ ...info, resumable: false, kept_account: undefined,
				advice: "Its browser has ended since, perhaps because Stead was restarted; start again." });
		return true;
	}

	#step({ step, reason, advice, resumable, kept_account: kept, ...rest })
	{
		batch(() => {
			this.info.value = { ...this.info.value, ...rest, step, reason, advice,
				resumable, kept };
		});
	}

	#heard(method, params)
	{
		switch (method) {
		case "step_changed":
			this.#step({ ...params, resumable: Boolean(params.resumable) });
			break;
		case "page_changed":
			this.page.value = params;
			this.arrived.value ||= params.url !== "about:blank";
			break;
		case "menu_opened":
			this.menu.value = params;
			break;
		case "menu_closed":
			if (this.menu.value?.menu === params.menu)
				this.menu.value = null;
			break;
		case "dialog_opened":
			this.dialog.value = params;
			break;
		case "dialog_closed":
			if (this.dialog.value?.dialog === params.dialog)
				this.dialog.value = null;
			break;
		case "host_refused":
			if (!this.refused.value.some(({ host }) => host === params.host))
				this.refused.value = [...this.refused.value, params];
			break;
		case "text_copied":
			if (params.offered)
				this.offer.value = params.text;
			else
				copyOut(params.text, () => {
					this.offer.value = params.text;
				});
			break;
		case "tabs_changed":
			this.tabs.value = params.tabs;
			break;
		case "note_shown":
			this.#dropNote(params.note);
			this.notes.value = [...this.notes.value, params];
			break;
		case "note_gone":
			this.#dropNote(params.note);
			break;
		case "limit_changed":
			this.limit.value = params;
			break;
		case "keyboard_wanted":
			this.typing.value = params.wanted;
			break;
		}
	}
}
