/*
 * A site whose only purpose is to answer badly: what a browser sends to act is counted on the wire, byte for byte, and
 * answered as the row of a table says, so that whoever sends it twice is seen.
 *
 *	const wire = await startWire({ key, cert });
 *	wire.port, wire.portOfHttp2, wire.portOfPlain
 *	wire.count("row 7")                       how often that has come, in full or in part
 *	await wire.sent("row 7")                  once it has come for the first time
 *	wire.stop();
 *
 * https://HOST/act?row=NAME&kind=KIND&answer=ANSWER has a button that sends it, https://HOST/list what is booked there.
 * A row is booked as it comes unless NOT_BOOKED says otherwise, whatever is answered then; "books N" books and answers after N s,
 * "listed N" once the list has been read N times, "listed N down" once it is away after that. xHOST is the site's as well, at
 * closedHOST nobody answers, and plainHOST speaks plain HTTP (wire.portOfPlain).
 */
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createSecureServer, constants } from "node:http2";
import { createServer } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

import { actPage, AGAIN, AGAIN_MS, BACK, escape, FAREWELL, FRAME, GOES_BACK, POPUP, SERVICE, TAB, WORKER } from "./wire_page.mjs";

/* How the page sends it. */
export const KINDS = ["form", "fetch", "keepalive", "beacon"];

/* "after N" answers after N seconds. */
export const ANSWERS = ["after 1", "after 12", "after 25", "after 60", "never", "reset before", "reset inside", "reset after", "half",
	"408", "421", "500", "502", "303 loop", "reused", "preconnected", "GOAWAY", "REFUSED_STREAM", "stall"];

export const HTTP2 = ["GOAWAY", "REFUSED_STREAM", "stall"];

/* "reset before", "421" and the like are a site that has not done anything. */
export const NOT_BOOKED = ["reset before", "408", "421", "421 end", "500", "502", "GOAWAY", "REFUSED_STREAM"];

const BOOKS_LATER = /^(books|listed) (\d+)( down)?$/;

const SLOW_MS = 1500; /* for what a page reads between what it checks and what it books */
const SLOW_BODY_MS = 4000; /* longer than a page is given before it is left for anything else that it waits for */
const SLOW_HANDSHAKE_MS = 5000; /* longer than a browser needs to say that a connection has ended */
const READ_MS = 200; /* for what a list's page fetches to come to it */
const OLD_MS = 150; /* a connection that was made so long before what comes first over it was made ahead */

const CORS = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" };

class Wire extends EventEmitter {
	#counts = new Map();
	#booked = new Map(); /* by host */
	#servers = [];
	#sockets = new Set();
	#http2 = new Map(); /* sockets by the browser's port, for what a session does not allow */
	streams = 0; /* so many requests came by HTTP/2 */
	beforeEnd = null; /* (row): called before the answer "421 end" */
	unreadable = false; /* the list is kept so */
	byes = 0; /* goodbyes that pages have said */
	#tabs = new Map(); /* by host: what sessionStorage has had */
	#away = new Set(); /* hosts whose list is next */
	#gone = new Set(); /* rows whose page has been left */
	#slow = null; /* { ms, told }: how long the next handshake takes, once told() that it begins */
	#mute = new Set(); /* rows whose handshake was not answered */

	constructor()
	{
		super();
		this.setMaxListeners(0);
	}

	count(row)
	{
		return this.#counts.get(row) ?? 0;
	}

	#cut(row)
	{
		this.#counts.set(`${row}, cut short`, this.cutShort(row) + 1);
	}

	/* Answers whose connection was closed before they were whole, or (never) when the list had been read. */
	cutShort(row)
	{
		return this.count(`${row}, cut short`);
	}

	booked(host, row)
	{
		return this.#booked.get(host)?.has(row) ?? false;
	}

	async sent(row)
	{
		while (!this.count(row))
			await once(this, "sent");
	}

	/* What the tabs of that host have had in their sessionStorage, as it was told. */
	tabs(host)
	{
		return this.#tabs.get(host) ?? [];
	}

	/* Calls then when that host's list has been read the nth time from now on. */
	#listed(host, n, then)
	{
		this.once(`list ${host}`, () => n > 1 ? this.#listed(host, n - 1, then) : then());
	}

	#leave(row)
	{
		this.#gone.add(row);
		this.emit(`gone ${row}`);
	}

	#book(host, row)
	{
		this.#booked.set(host, (this.#booked.get(host) ?? new Set()).add(row));
	}

	took(host, row, answer)
	{
		this.#counts.set(row, this.count(row) + 1);
		if (!NOT_BOOKED.includes(answer) && !BOOKS_LATER.test(answer))
			this.#book(host, row);
		this.#listed(host, 1, () => this.#leave(row));
		this.emit("sent", row);
	}

	/* What is not the act: { status, headers, body }. */
	page(host, url, cookie)
	{
		const html = { "Content-Type": "text/html", "Cache-Control": "no-store" };
		const script = { "Content-Type": "text/javascript", "Cache-Control": "no-store" };

		switch (url.pathname) {
		case "/signin": return { status: 303, headers: { Location: "/in", "Set-Cookie": `who=${host}; Path=/; Max-Age=90000; Secure` }, body: "" };
		case "/in": return cookie.includes("who=") ? { status: 200, headers: html, body: `<!doctype html><title>In</title><p id=who>anna</p>${TAB}` }
			: { status: 303, headers: { Location: "/out" }, body: "" };
		case "/out": return { status: 200, headers: html, body: "<!doctype html><p>out</p>" };
		case "/act": return { status: 200, headers: html, body: actPage(host, url.searchParams, `x${host}`) };
		case "/frame": return { status: 200, headers: html, body: FRAME };
		case "/worker.js": return { status: 200, headers: script, body: WORKER };
		case "/service.js": return { status: 200, headers: script, body: SERVICE };
		case "/list": return this.#list(host, url, html);
		case "/rows":
			this.#listRead(host);
			return { status: 200, headers: html, body: this.#rows(host) };
		case "/farewell": return { status: 200, headers: html, body: FAREWELL };
		case "/back": return { status: 200, headers: html, body: BACK };
		case "/popup": return { status: 200, headers: html, body: POPUP };
		case "/tab":
			if (url.searchParams.has("list"))
				this.#listRead(host);
			this.#tabs.set(host, [...this.tabs(host), Number(url.searchParams.get("n"))]);
			return { status: 200, headers: html, body: "ok" };
		case "/bye":
			this.byes += 1;
			return { status: 200, headers: html, body: "ok" };
		default: return { status: 200, headers: html, body: "ok" };
		}
	}

	#rows(host)
	{
		const rows = [...this.#booked.get(host) ?? []].map((row) => `<li><b>${escape(row)}</b></li>`).join("");

		return `<h1 id=head>Booked</h1>${rows ? "" : "<p id=none>none</p>"}<ul id=list>${rows}</ul>`;
	}

	/* It is there, and no connection that it came over is needed any more. */
	#listRead(host)
	{
		setTimeout(() => this.emit(`list ${host}`), READ_MS).unref();
	}

	/* For once, and then that has been heard. */
	#listIsAway(host, wanted, then)
	{
		if (!wanted)
			return then();
		this.#away.add(host);
		return this.#listed(host, 1, then);
	}

	#hasActed(host, kind)
	{
		return [...this.#booked.get(host) ?? []].some((row) => row.includes(kind));
	}

	#list(host, url, headers)
	{
		const away = this.unreadable || this.#away.delete(host);
		const frames = ["", `https://x${host}`].map((at) => `<iframe src="${at}/farewell"></iframe>`).join("");
		const more = url.searchParams.get("kind") === "goodbye" ? FAREWELL + frames
			: url.searchParams.get("kind") === "goesBack" && this.#hasActed(host, "goesBack") ? GOES_BACK : "";

		if (away)
			this.#listRead(host);
		return away ? { status: 503, headers, body: "away" } : { status: 200, headers, body: `<!doctype html>${this.#rows(host)}${TAB}${more}` };
	}

	/* Answered once that row's page has been left; or at once (RFC 7240, section 4.3). */
	#go(socket, row, atOnce)
	{
		if (this.#gone.has(row) || atOnce)
			respond(socket, 200, {}, this.#gone.has(row) ? "now" : "wait");
		else
			this.once(`gone ${row}`, () => respond(socket, 200, {}, "now"));
	}

	/* A step before the act, whose answer is late: then the page is left, and later all of it is done anyhow. */
	#check(connection, host, url)
	{
		const row = url.searchParams.get("row");

		if (!url.searchParams.has("row"))
			return respond(connection.socket, 200, {}, "checked");
		return this.#listed(host, 1, () => {
			respond(connection.socket, 200, {}, "checked");
			this.#listed(host, 2, () => this.#leave(row));
			this.#listed(host, 5, () => this.#book(host, row));
		});
	}

	/* Answered once the next connection comes; its handshake takes SLOW_HANDSHAKE_MS, or ("mute", the first time) is never answered. */
	#connecting(socket, query)
	{
		const row = query.get("row"), mute = query.get("answer") === "mute" && !this.#mute.has(row);

		this.#slow = { ms: mute ? Infinity : query.get("answer") === "mute" ? 0 : SLOW_HANDSHAKE_MS, told: () => {
			if (mute)
				this.#mute.add(row);
			respond(socket, 200, {}, "now");
		} };
	}

	/* The next handshake takes so long, once told() that it begins. */
	slowHandshake(ms, told)
	{
		this.#slow = { ms, told };
	}

	#greet(raw, secureContext)
	{
		const { ms, told } = this.#slow ?? { ms: 0 };
		const begin = () => this.speak(new TLSSocket(raw, { isServer: true, secureContext }), raw);

		this.#slow = null;
		told?.();
		if (!ms)
			begin();
		else if (ms < Infinity)
			setTimeout(begin, ms).unref();
		raw.on("error", () => {});
	}

	/* HTTP/1.1, read and answered by hand. */
	speak(socket, raw)
	{
		const connection = { socket, raw, made: Date.now(), requests: 0 };
		let text = "";

		this.#sockets.add(socket);
		socket.on("close", () => this.#sockets.delete(socket)).on("error", () => {}).setEncoding("latin1");
		socket.on("data", (piece) => {
			text += piece;
			for (;;) {
				const end = text.indexOf("\r\n\r\n");

				if (end < 0)
					return;
				const head = text.slice(0, end), length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);

				if (text.length < end + 4 + length)
					return;
				text = text.slice(end + 4 + length);
				this.#answer(connection, head);
				connection.requests += 1;
			}
		});
	}

	#answer(connection, head)
	{
		const [method, path] = head.split(" ");
		const host = /\r\nhost: ([^:\r]+)/i.exec(head)?.[1] ?? "", cookie = /\r\ncookie: ([^\r]+)/i.exec(head)?.[1] ?? "";
		const url = new URL(path, `https://${host}`);

		if (method === "OPTIONS")
			return setTimeout(() => respond(connection.socket, 204, CORS, ""), SLOW_MS).unref();
		if (method === "GET" && url.pathname === "/book" && url.searchParams.get("answer") === "navigates") {
			this.took(host, `${url.searchParams.get("row")}, read`, "500");
			return respond(connection.socket, 200, {}, "It is booked");
		}
		if (url.pathname === "/moved" || url.pathname === "/book" && !url.searchParams.has("looped"))
			return this.#act(connection, host.replace(/^(x|plain)/, ""), url);
		if (url.pathname === "/book")
			return respond(connection.socket, 303, { Location: path }, "");
		if (url.pathname === "/cart") {
			this.took(host, `${url.searchParams.get("row")}, cart`, "500");
			return setTimeout(() => respond(connection.socket, 200, {}, "in it"), SLOW_MS).unref();
		}
		if (url.pathname === "/go")
			return this.#go(connection.socket, url.searchParams.get("row"), /\r\nprefer: wait=0/i.test(head));
		if (url.pathname === "/check")
			return this.#check(connection, host, url);
		if (url.pathname === "/slow")
			return setTimeout(() => respond(connection.socket, 200, {}, "slow"), SLOW_MS).unref();
		if (url.pathname === "/stuck")
			return null;
		if (url.pathname === "/connecting")
			return this.#connecting(connection.socket, url.searchParams);
		if (url.pathname === "/socket")
			return respond(connection.socket, 101, { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": accept(head) }, "");
		const { status, headers, body } = this.page(host, url, cookie);

		return respond(connection.socket, status, headers, body);
	}

	#act({ socket, raw, made, requests }, host, url)
	{
		const row = url.searchParams.get("row"), answer = url.searchParams.get("answer");
		const done = () => respond(socket, 200, { "Content-Type": "text/html" }, "<!doctype html><p>booked</p>");
		const later = /^after (\d+)$/.exec(answer), books = BOOKS_LATER.exec(answer);
		const book = () => { this.#book(host, row); done(); };

		this.took(host, row, answer);
		if (later)
			return setTimeout(done, later[1] * 1000).unref();
		if (books?.[1] === "books")
			return setTimeout(book, books[2] * 1000).unref();
		if (books)
			return this.#listed(host, Number(books[2]), () => this.#listIsAway(host, books[3], book));
		switch (answer) {
		case "never": return this.#listed(host, 1, () => socket.destroyed && this.#cut(row));
		case "reset before": return raw.resetAndDestroy();
		case "reset inside": return socket.write("HTTP/1.1 200 OK\r\nContent-Ty", () => socket.destroy());
		case "reset after": return socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", () => socket.destroy());
		case "half": return socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it", () => socket.destroy());
		case "endless": return socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
		case "slow body": return this.#answerSlowly(socket, row);
		case "408": return socket.end("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
		case "421 end":
			this.beforeEnd?.(row);
			return socket.end("HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
		case "421": case "500": case "502": return respond(socket, Number(answer), {}, "no");
		case "reloads": case "goes": case "navigates": case "resubmits": case "pressed": case "returns":
			return respond(socket, 200, { "Content-Type": "text/html", "Cache-Control": "no-store" }, `<!doctype html><p>Please wait</p><button id="yes" onclick="location.reload()">Look again</button>
				<script>setTimeout(() => { ${AGAIN[answer]}; }, ${AGAIN_MS})</script>`);
		case "303 loop": return respond(socket, 303, { Location: `${url.pathname}${url.search}&looped=1` }, "");
		case "307 loop": return respond(socket, 307, { Location: `${url.pathname}${url.search}` }, "");
		case "307": return respond(socket, 307, { Location: `/moved?answer=done&row=${encodeURIComponent(`${row} moved`)}` }, "");
		case "reused": return requests ? socket.destroy() : done();
		case "preconnected": return requests || Date.now() - made > OLD_MS ? socket.destroy() : done();
		default: return done();
		}
	}

	#answerSlowly(socket, row)
	{
		const cut = () => this.#cut(row);

		socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
		socket.once("close", cut);
		setTimeout(() => {
			socket.off("close", cut);
			socket.write("whole");
		}, SLOW_BODY_MS).unref();
	}

	/* HTTP/2 where the browser speaks it; what does not is answered as ever. */
	speakHttp2(stream, headers)
	{
		const host = headers[":authority"].split(":")[0], url = new URL(headers[":path"], `https://${host}`);
		const answer = url.searchParams.get("answer");

		this.streams += 1;
		stream.on("error", () => {});
		if (url.pathname !== "/book") {
			const { status, headers: said, body } = this.page(host, url, headers.cookie ?? "");

			stream.respond({ ":status": status, ...Object.fromEntries(Object.entries(said).map(([k, v]) => [k.toLowerCase(), v])) });
			return stream.end(body);
		}
		this.took(host, url.searchParams.get("row"), answer);
		if (answer === "GOAWAY")
			return stream.session.goaway(constants.NGHTTP2_NO_ERROR, Math.max(stream.id - 2, 0));
		if (answer === "REFUSED_STREAM")
			return stream.close(constants.NGHTTP2_REFUSED_STREAM);
		return this.#http2.get(stream.session.socket.remotePort).pause(); /* a PING is not read either */
	}

	async start({ key, cert })
	{
		const secureContext = createSecureContext({ key, cert });
		const one = createServer((raw) => this.#greet(raw, secureContext));
		const two = createSecureServer({ key, cert, allowHTTP1: true });
		const plain = createServer((raw) => this.speak(raw, raw));

		two.on("stream", (stream, headers) => this.speakHttp2(stream, headers));
		two.on("secureConnection", (socket) => this.#http2.set(socket.remotePort, socket));
		two.on("session", (session) => session.on("error", () => {}));
		two.on("request", (request, response) => {
			if (request.httpVersionMajor === 2)
				return;
			const host = request.headers.host.split(":")[0], url = new URL(request.url, `https://${host}`);
			const acts = url.pathname === "/book";
			const { status, headers, body } = acts ? { status: 200, headers: {}, body: "booked" }
				: this.page(host, url, request.headers.cookie ?? "");

			if (acts)
				this.took(host, url.searchParams.get("row"), "after 0");
			response.writeHead(status, headers).end(body);
		});
		for (const server of [one, two, plain]) {
			server.on("tlsClientError", () => {});
			server.on("connection", (socket) => {
				this.#sockets.add(socket);
				socket.on("close", () => this.#sockets.delete(socket));
			});
			server.listen(0, "127.0.0.1");
			await once(server, "listening");
			this.#servers.push(server);
		}
		[this.port, this.portOfHttp2, this.portOfPlain] = this.#servers.map((server) => server.address().port);
		return this;
	}

	stop()
	{
		for (const server of this.#servers)
			server.close();
		for (const socket of this.#sockets)
			socket.destroy();
	}
}

/* RFC 6455, section 4.2.2; what comes over the socket then is read by nobody. */
function accept(head)
{
	const key = /\r\nsec-websocket-key: ([^\r]+)/i.exec(head)?.[1] ?? "";

	return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

function respond(socket, status, headers, body)
{
	const length = status === 101 ? {} : { "Content-Length": Buffer.byteLength(body) };
	const lines = Object.entries({ ...length, ...headers }).map(([k, v]) => `${k}: ${v}\r\n`).join("");

	socket.write(`HTTP/1.1 ${status} Status\r\n${lines}\r\n${body}`);
}

export function startWire(certificate)
{
	return new Wire().start(certificate);
}

/* A recipe for it: act; hurry, whose site has little time; and to press first what fills a cart. */
export function wireRecipe(host)
{
	const at = (css) => ({ css });
	const inputs = ["row", "kind", "answer", "poll"];
	const page = `https://${host}/act?${inputs.map((name) => `${name}={${name}}`).join("&")}`;
	const carts = (css) => [{ step: "click", at: at(css) }, { step: "wait_for", at: at("#asked") }];
	const action = (answer_ms, { list = `https://${host}/list?kind={kind}`, patience_ms = 0, confirm_ms = 3000, before = [], more = [], act = { step: "click", at: at("#go") } } = {}) => ({
		title: "Act", describe: "{row}", answer_ms,
		inputs: inputs.map((name) => ({ name, type: "text", label: name, ...(name === "poll" ? {} : { required: true }) })),
		list: { steps: [{ step: "open", url: list }, { step: "wait_for", at: at("#head"), timeout_ms: 3000 },
			{ step: "read", at: at("#list li"), all: true, cells: [{ name: "row", css: "b" }] }],
			match: [{ cell: "row", is: "{row}" }], none: at("#none"), patience_ms, confirm_ms },
		steps: [{ step: "open", url: page }, ...before, { ...act, act: true }, ...more] });

	return { title: host, home: `https://${host}/`, sign_in: { url: `https://${host}/signin` }, hosts: [host, `x${host}`, `plain${host}`, `closed${host}`],
		private_addresses: ["127.0.0.1"], signed_in: { url: [`https://${host}/in`], mark: at("#who") },
		settle: { quiet_ms: 300, cap_ms: 5000 },
		probe: { url: `https://${host}/in`, in: { at: at("#who") }, out: { url: [`https://${host}/out`] } },
		actions: { act: action(75_000), hurry: action(3000), patient: action(1000, { patience_ms: 20_000, confirm_ms: 60_000 }),
			place: action(75_000, { list: `${page}#list` }),
			two: action(10_000, { more: [{ step: "click", at: at("#yes"), timeout_ms: 20_000 }] }),
			seen: action(75_000, { more: [{ step: "wait_for", at: at("#done"), timeout_ms: 2000, otherwise: "failed" }] }),
			waits: action(75_000, { more: [{ step: "wait_for", at: at("#never"), timeout_ms: 4000, otherwise: "failed" }] }),
			choose: action(75_000, { act: { step: "choose", at: at("#menu"), value: "Book" } }),
			ticks: action(75_000, { before: [{ step: "check", at: at("#box"), off: true }], act: { step: "check", at: at("#box") } }),
			drags: action(75_000, { act: { step: "drag", at: at("#card"), to: at("#slot") } }),
			gives: action(75_000, { act: { step: "upload", at: at("#file"), file: { name: "{row}.txt", text: "{row}" } } }),
			keys: action(75_000, { act: { step: "press", keys: "Control+Enter", at: at("#box") } }),
			doubles: action(75_000, { act: { step: "double_click", at: at("#slot") } }),
			twice: action(75_000, { more: [{ step: "click", at: at("#go") }] }),
			adds: action(75_000, { more: [{ step: "fill", at: at("#quick"), value: "{row}" }] }),
			again: action(75_000, { more: [{ step: "click", at: at("#yes") }, { step: "wait_for", at: at("#never"), timeout_ms: 2000, otherwise: "failed" }] }),
			fill: action(75_000, { act: { step: "fill", at: at("#quick"), value: "{row}" } }),
			cart: action(75_000, { before: carts("#cart") }), workers: action(75_000, { before: carts("#workers") }) } };
}
