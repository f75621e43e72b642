/*
 * A WebSocket that comes back. It says what it is doing in `state` ("connecting", "open", "lost",
 * "ended"), and before it connects again it asks check(), an ordinary API call: that brings up the
 * sign-in when the login has ended (a refused WebSocket does not tell a page why), and tells apart
 * what is over from what is only away. Where that is answered and the WebSocket still does not open, time and again, it is
 * `blocked`: something on the way lets requests pass and WebSockets not.
 */
import { signal } from "@preact/signals";
import { signInAgain } from "../account.js";

const FIRST_MS = 300;
const MOST_MS = 10000;
const BLOCKED_MOST_MS = 60000;
const BLOCKED_AFTER = 3;
const LOOK_MS = 5000;
const FINAL = new Set([4403, 4404, 4410, 4429]);

export class Live {
	state = signal("connecting");
	retryAtMs = signal(0);
	blocked = signal(false);
	#unopened = 0; /* handshakes in a row that came to nothing */
	#handlers;
	#socket = null;
	#timer = null;
	#tries = 0;
	#over = false;

	/*
	 * handlers: path() -> URL path, check() -> Promise of whether to go on, open(),
	 * notification(method, params), binary(ArrayBuffer), end(code or 0)
	 */
	constructor(handlers)
	{
		this.#handlers = handlers;
		this.online = () => this.retryNow();
		addEventListener("online", this.online);
		this.#connect();
	}

	/*
	 * False when it could not be sent: what a person did while nothing could be seen must not
	 * arrive later.
	 */
	notify(method, params)
	{
		if (this.#socket?.readyState !== WebSocket.OPEN)
			return false;
		this.#socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
		return true;
	}

	retryNow()
	{
		if (this.state.value === "lost" && this.#timer)
			this.#retry();
	}

	stop()
	{
		this.#over = true;
		clearTimeout(this.#timer);
		removeEventListener("online", this.online);
		this.#socket?.close(1000);
	}

	#connect()
	{
		const scheme = location.protocol === "https:" ? "wss:" : "ws:";
		const socket = new WebSocket(`${scheme}//${location.host}${this.#handlers.path()}`);
		let opened = false;

		this.#socket = socket;
		socket.binaryType = "arraybuffer";
		socket.onopen = () => {
			opened = true;
			this.#unopened = 0;
			this.blocked.value = false;
			this.state.value = "open";
			this.#handlers.open?.();
		};
		socket.onmessage = ({ data }) => this.#message(data);
		socket.onclose = async ({ code }) => {
			if (!opened && !this.#over && ++this.#unopened >= BLOCKED_AFTER)
				this.blocked.value = await this.#answered();
			this.#closed(code);
		};
	}

	/* Whether whoever serves the WebSocket is there: what it says to a plain request does not matter, only that it does. */
	async #answered()
	{
		try {
			const { status, body } = await fetch(this.#handlers.path(), { cache: "no-store", headers: { "Stead-Idle": "1" },
				signal: AbortSignal.timeout(LOOK_MS) });

			body?.cancel();
			return status < 500;
		} catch {
			return false;
		}
	}

	#message(data)
	{
		this.#tries = 0;
		if (this.#over)
			return;
		if (typeof data !== "string") {
			this.#handlers.binary?.(data);
			return;
		}

		const { method, params } = JSON.parse(data);

		this.#handlers.notification?.(method, params ?? {});
	}

	async #closed(code)
	{
		if (this.#over)
			return;
		if (FINAL.has(code)) {
			this.#end(code);
			return;
		}
		this.state.value = "lost";
		if (code === 4401 && await signInAgain())
			this.#tries = 0;
		if (!this.#over)
			this.#later();
	}

	/* A little chance in it, so that a restarted daemon does not meet everybody at once. */
	#later()
	{
		const wait = Math.min(this.blocked.value ? BLOCKED_MOST_MS : MOST_MS,
			FIRST_MS * 2 ** this.#tries++) * (0.75 + Math.random() / 2);

		this.retryAtMs.value = Date.now() + wait;
		this.#timer = setTimeout(() => this.#retry(), wait);
	}

	async #retry()
	{
		clearTimeout(this.#timer);
		this.#timer = null;
		try {
			const goOn = await this.#handlers.check();

			if (this.#over)
				return;
			if (goOn)
				this.#connect();
			else
				this.#end(0);
		} catch (error) {
			if (this.#over)
				return;
			if (error.status === 404 || error.status === 403 || error.status === 410)
				this.#end(4000 + error.status);
			else
				this.#later();
		}
	}

	#end(code)
	{
		this.#over = true;
		this.state.value = "ended";
		removeEventListener("online", this.online);
		this.#handlers.end?.(code);
	}
}
