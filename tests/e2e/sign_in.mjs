/* A sign-in of the end-to-end tests, driven over its WebSocket with keys, as the web page sends them. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { WebSocket } from "ws";

import { WAIT_MS, becomes, inTime } from "./waits.mjs";

/* One sign-in and one viewer of it. Events: "change" whenever streamd has said something. */
export class SignIn extends EventEmitter {
	step = null;
	steps = [];
	reason = "";
	advice = "";
	resumable = false;
	another = false; /* only another account's session is in its way */
	page = { url: "" };
	loads = 0; /* pages that have finished loading */
	dialog = null;
	notes = new Map(); /* number → note_shown */
	tabs = [];
	limit = null;
	copied = [];
	frames = 0;
	captured_s = 0; /* when the last picture was taken, by the browser's clock, which is this machine's */
	size = null;
	closed = null; /* the WebSocket's code, once it has ended */
	gone = null; /* what the API said of it: { status, code, message } */

	constructor(visitor, id)
	{
		super();
		this.visitor = visitor;
		this.id = id;
	}

	/*
	 * From now on it comes back as the web page does: before it connects again it asks the API whether there is still
	 * something to connect to, and what is over it keeps in `gone`.
	 */
	comeBack()
	{
		this.on("lost", () => this.#lost().catch((error) => {
			this.gone = { status: 0, message: error.message };
			this.emit("change");
		}));
		return this;
	}

	async #lost()
	{
		const { status, body } = await becomes(async () => {
			const answer = await this.visitor.call("GET", `/streams/${this.id}`).catch(() => ({ status: 503 }));

			return answer.status >= 500 ? null : answer;
		}, WAIT_MS, "Stead did not come back.");

		if (status !== 200)
			this.gone = { status, ...body.error };
		else if (["waiting", "starting", "signed_in", "proving"].includes(body.stream.step) || body.stream.resumable)
			return this.connect().catch(() => this.#lost());
		else
			this.#stepped(body.stream);
		return this.emit("change");
	}

	async connect()
	{
		this.closed = null;
		this.socket = this.visitor.rig.socket(`/ws/streams/${this.id}`, this.visitor);
		this.socket.on("message", (data, binary) => (binary ? this.#frame(data) : this.#heard(JSON.parse(data))));
		this.socket.on("error", () => {});
		const { socket } = this;
		let opened = false;

		await inTime(new Promise((done, failed) => {
			socket.on("open", () => {
				opened = true;
				done();
			});
			socket.on("close", (code, why) => {
				failed(new Error(`The WebSocket was closed with ${code} ${why}`));
				this.closed = code;
				this.emit("change");
				if (opened)
					this.emit("lost");
			});
		}), WAIT_MS, "The WebSocket did not open.");
		return this;
	}

	disconnect()
	{
		this.socket.close(1000);
		return this.until(() => this.closed !== null, "the end of the WebSocket");
	}

	#frame(data)
	{
		this.frames += 1;
		this.captured_s = data.readDoubleLE(8);
		this.size = { width: data.readFloatLE(16), height: data.readFloatLE(20) };
		this.say("frame_ack", { seq: data.readUInt32LE(4) });
		this.emit("change");
	}

	#heard({ method, params })
	{
		if (method === "step_changed") {
			this.#stepped(params);
		} else if (method === "page_changed") {
			this.loads += Boolean(this.page.loading && !params.loading);
			this.page = params;
		} else if (method === "dialog_opened") {
			this.dialog = params;
		} else if (method === "dialog_closed") {
			this.dialog = null;
		} else if (method === "note_shown") {
			this.notes.set(params.note, params);
		} else if (method === "note_gone") {
			this.notes.delete(params.note);
		} else if (method === "tabs_changed") {
			this.tabs = params.tabs;
		} else if (method === "limit_changed") {
			this.limit = params;
		} else if (method === "text_copied") {
			this.copied.push(params);
		}
		this.emit("change");
	}

	#stepped({ step, reason = "", advice = "", resumable = false, kept_account: kept, account })
	{
		Object.assign(this, { step, reason, advice, resumable, kept, account });
		this.steps.push(step);
	}

	say(method, params = {})
	{
		if (this.socket.readyState === WebSocket.OPEN)
			this.socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
	}

	describe()
	{
		return `${this.steps.join(", ") || "nothing"} at ${this.page.url} (${this.page.title})${this.reason ? `: ${this.reason}` : ""}${
			this.closed ? `; its WebSocket was closed with ${this.closed}` : ""}${
			this.gone ? `; then ${JSON.stringify(this.gone)}` : ""}`;
	}

	/* Until it is so. */
	async until(holds, what, ms = WAIT_MS)
	{
		const end = new AbortController();
		const wait = (async () => {
			while (!holds())
				await once(this, "change", { signal: end.signal });
		})();

		wait.catch(() => {});
		try {
			await inTime(wait, ms, () => `The sign-in ${this.id} did not come to ${what}; it said ${this.describe()}.`);
		} finally {
			end.abort();
		}
	}

	/* Nothing more can come of it. */
	get over()
	{
		return this.gone !== null || ["saved", "failed", "timed_out", "closed"].includes(this.step) && !this.resumable;
	}

	/* One of these steps is or was reached; it is an error if it ends otherwise. */
	async reaches(...steps)
	{
		await this.until(() => steps.some((step) => this.steps.includes(step)) || this.over
			|| (this.closed !== null && !this.listenerCount("lost")), `"${steps.join('" or "')}"`);
		assert.ok(steps.some((step) => this.steps.includes(step)),
			`the sign-in was to come to "${steps.join('" or "')}" and said ${this.describe()}`);
	}

	/* Forgets which steps were passed: for a second round of the same sign-in. */
	again()
	{
		this.steps = [];
	}

	/* Loaded, and painted since: then it has the focus where it wants it. */
	async pageIs(pattern, after = 0)
	{
		await this.until(() => pattern.test(this.page.url) && !this.page.loading && this.loads > after, `the page ${pattern}`);
		await this.painted();
	}

	/* Asks for another picture of the page as it is, and waits for it: not for one that was taken before and is under way. */
	async painted()
	{
		const asked_s = Date.now() / 1000;

		this.say("view_show", { visible: false });
		this.say("view_show", { visible: true });
		await this.until(() => this.captured_s > asked_s, "another picture");
	}

	/* The note that says so, once it is shown. */
	async noted(pattern, ms)
	{
		const found = () => [...this.notes.values()].find(({ text }) => pattern.test(text));

		await this.until(found, `a note ${pattern}; there are ${JSON.stringify([...this.notes.values()])}`, ms);
		return found();
	}

	/* A press of the left button at the first point, unless it is held already (null), and moves to the others. */
	hold(from, ...path)
	{
		const [x, y] = from ?? [];

		if (from) {
			this.say("mouse_event", { type: "move", x, y, buttons: 0 });
			this.say("mouse_event", { type: "press", x, y, button: "left", buttons: 1, clicks: 1 });
		}
		for (const [mx, my] of path)
			this.say("mouse_event", { type: "move", x: mx, y: my, buttons: 1 });
	}

	/* The same, and its release at the last. */
	drag(from, ...path)
	{
		const [x, y] = path.at(-1) ?? from;

		this.hold(from, ...path);
		this.say("mouse_event", { type: "release", x, y, button: "left", buttons: 0, clicks: 1 });
	}

	click(x, y)
	{
		this.drag([x, y]);
	}

	press(key, vk, text)
	{
		const named = { key, code: key, vk };

		this.say("key_event", { type: "down", ...named, ...(text ? { text } : {}) });
		this.say("key_event", { type: "up", ...named });
	}

	type(text)
	{
		this.say("text_insert", { text });
	}

	/* Presses Enter after that, and waits for the page that comes of it. */
	async #enter(pattern, before)
	{
		const { loads } = this;

		before();
		this.press("Enter", 13, "\r");
		await this.pageIs(pattern, loads);
	}

	/* The first thing on the page that takes the focus is the button. */
	async toSso()
	{
		await this.reaches("waiting");
		await this.pageIs(/^https:\/\/desk\.test\/login/);
		await this.#enter(/^https:\/\/sso\.test\/interaction/, () => this.press("Tab", 9));
	}

	/* account: of the provider; the one with the same name as the person's at Stead if left out. */
	async passwordTyped(account = this.visitor.rig.account(this.visitor.name))
	{
		await this.#enter(/^https:\/\/sso\.test\/interaction/, () => {
			this.type(account.login);
			this.press("Tab", 9);
			this.type(account.password);
		});
	}

	async codeTyped(account = this.visitor.rig.account(this.visitor.name))
	{
		this.type((await this.visitor.rig.sites.control(`/totp?login=${account.login}`)).code);
		this.press("Enter", 13, "\r");
	}

	async atSite(account)
	{
		await this.toSso();
		await this.passwordTyped(account);
		await this.codeTyped(account);
	}

	show()
	{
		return this.visitor.show(this.id);
	}

	close()
	{
		return this.visitor.must("POST", `/streams/${this.id}/close`, {});
	}
}
