/*
 * What somebody with bad intentions or a broken client sends: to the HTTP API and the WebSockets through nginx, to the
 * daemons' sockets, on steadctl's command line, and into a recipe. Each is refused with a sentence, and all goes on.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { frame, RpcClient } from "../lib/rpc.mjs";
import { becomes, day, httpCall, inTime, startRig } from "./rig.mjs";

const FOREIGN = "https://evil.example";
const SOCKETS = { authd: ["stream", "control"], sessiond: ["front", "stream", "bot", "control"],
	streamd: ["front", "bot", "control"], botd: ["front", "stream", "control"] };
const MOST_VIEWERS = 12; /* not what it is by itself */
let rig, alice, bob, signIn;

before(async () => {
	rig = await startRig({ settings: { streamd: { most_viewers: MOST_VIEWERS } } });
	alice = await rig.login("alice");
	bob = await rig.login("bob");
	signIn = await alice.open();
	await signIn.reaches("waiting");
});
after(() => rig?.stop());

function refused({ status, body }, wanted, code)
{
	assert.equal(status, wanted, JSON.stringify(body));
	assert.equal(body.error.code, code);
	assert.match(body.error.message, /[a-z] [a-z0-9]+ [a-z]/, "a sentence");
}

describe("HTTP through nginx", () => {
	const post = (raw, headers = {}, path = "/bookings") => httpCall(`${rig.url}/api/v1${path}`, { method: "POST", raw,
		headers: { Origin: rig.url, Cookie: alice.cookie, "Content-Type": "application/json",
			"Content-Length": Buffer.byteLength(raw), ...headers } });

	it("a body that is too large", async () => {
		refused(await post(JSON.stringify({ key: "x".repeat(70_000) })), 413, "too_large");
	});

	it("a body that is no JSON, has a name twice, or is nested too deep", async () => {
		const deep = (n) => `{"key":"k","site":"desk","action":"book","inputs":${"{\"a\":".repeat(n)}1${"}".repeat(n)}}`;

		for (const raw of ["", "hello", "{", "[]", "{\"key\":\"a\",\"key\":\"b\"}", "{\"inputs\":{\"desk\":\"a\",\"desk\":\"b\"}}",
			"{\"key\":\"\\u0000\"}", deep(40), `${"[".repeat(3000)}`])
			refused(await post(raw), 400, "malformed");
	});

	it("a body of another content type, as a form of another site would send it", async () => {
		for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
			refused(await post("{}", { "Content-Type": type }), 415, "unsupported");
	});

	it("parameters that are unknown, missing or wrong are named", async () => {
		const wish = { key: "k", site: "desk", action: "book", inputs: {} };

		for (const [body, field] of [[{ ...wish, colour: "red" }, "colour"], [{ site: "desk" }, "key"],
			[{ ...wish, key: 7 }, "key"], [{ ...wish, key: "x".repeat(65) }, "key"]]) {
			const answer = await alice.call("POST", "/bookings", body);

			refused(answer, 400, "invalid");
			assert.equal(answer.body.error.field, field);
		}
	});

	it("an unknown method, and a verb that an address does not have", async () => {
		refused(await alice.call("GET", "/nothing"), 404, "unknown_method");
		refused(await alice.call("PUT", "/streams", {}), 405, "unknown_method");
		refused(await alice.call("DELETE", "/account"), 405, "unknown_method");
	});

	it("every page and every answer carries the whole policy", async () => {
		const ws = rig.url.replace("http", "ws");
		const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
			+ `connect-src 'self' ${ws}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; `
			+ "require-trusted-types-for 'script'; trusted-types 'none'";

		for (const path of ["/", "/bookings/1", "/app.js", "/nothing.js", "/api/v1/account", "/ws/nothing"]) {
			const { headers } = await fetch(rig.url + path);

			assert.equal(headers.get("content-security-policy"), policy, path);
			assert.match(headers.get("x-content-type-options"), /^nosniff\b/, path);
		}
	});

	it("a page of another site", async () => {
		const wish = { site: "desk" };

		refused(await alice.call("POST", "/streams", wish, { Origin: FOREIGN }), 403, "cross_site");
		refused(await alice.call("POST", "/streams", wish, { Origin: "null" }), 403, "cross_site");
		refused(await alice.call("POST", "/streams", wish, { "Sec-Fetch-Site": "cross-site", Origin: FOREIGN }), 403,
			"cross_site");
		refused(await rig.visitor("alice").call("POST", "/login", { name: "alice", password: "x" }, { Origin: FOREIGN }),
			403, "cross_site");
	});

	it("nobody who is signed in, and somebody else", async () => {
		refused(await rig.visitor("nobody").call("GET", `/streams/${signIn.id}`), 401, "not_signed_in");
		refused(await bob.call("GET", `/streams/${signIn.id}`), 404, "not_found");
		refused(await bob.call("POST", `/streams/${signIn.id}/close`, {}), 404, "not_found");
		assert.deepEqual((await bob.must("GET", "/streams")).streams, []);
		refused(await bob.call("GET", "/users"), 403, "forbidden");
	});
});

/* How a WebSocket is refused: the status of the answer to its upgrade, or the code it is closed with. */
async function attempt(path, visitor, headers)
{
	const socket = rig.socket(path, visitor, headers);
	const opened = [];

	socket.on("message", (data) => opened.push(data));
	socket.on("error", () => {});
	const end = await inTime(Promise.race([
		once(socket, "unexpected-response").then(([, response]) => {
			response.resume();
			return { status: response.statusCode };
		}),
		once(socket, "close").then(([code, why]) => ({ code, why: String(why) })),
	]), 60_000, "the WebSocket was neither refused nor closed");

	socket.terminate();
	assert.equal(opened.length, 0, "nothing may be sent to it");
	return end;
}

/* What comes back for these bytes, sent at once, until the connection ends; where: what connect() takes. */
function answerTo(where, ...pieces)
{
	const socket = connect(where);
	const closed = new Promise((done) => socket.once("close", done)); /* in peace or not */
	let heard = "";

	socket.setEncoding("latin1").on("error", () => {});
	socket.on("data", (text) => {
		heard += text;
	});
	socket.once("connect", () => socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece)))));
	return inTime(closed, 60_000, () => `the connection stayed open after ${JSON.stringify(heard)}`).then(() => heard);
}

describe("another protocol at the edge", () => {
	/* RFC 9113 section 3.4, and the first frame that follows: SETTINGS, empty. */
	const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
	const upgrade = (name, cookie) => `GET /ws/streams/${signIn.id} HTTP/1.1\r\nHost: ${new URL(rig.url).host}\r\nOrigin: ${rig.url}\r\n`
		+ `Cookie: ${cookie}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${name}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`;
	const nginx = () => ({ host: "127.0.0.1", port: Number(new URL(rig.url).port) });

	it("an upgrade to HTTP/2 gets an answer of HTTP/1.1 through nginx, and no tunnel to streamd", async () => {
		for (const name of ["h2c", "H2C", "websocket, h2c", "TLS/1.0"]) {
			const heard = await answerTo(nginx(), upgrade(name, alice.cookie), preface);

			assert.match(heard, /^HTTP\/1\.1 426 /, name); /* as the plain request that it is then */
			assert.doesNotMatch(heard, /101 Switching|Upgrade: h2c/i, name);
			assert.doesNotMatch(heard, /\0\0.\x04\0/, `${name}: that is a SETTINGS frame`);
		}
		assert.match(await answerTo(nginx(), preface), /^(HTTP\/1\.1 400 |$)/);
	});

	it("streamd's own socket speaks it to nobody", async () => {
		const path = join(rig.stack.run, "streamd/http");
		const { pid } = rig.daemon("streamd");

		assert.match(await answerTo({ path }, preface), /^HTTP\/1\.1 505 .*\r\n(?:.*\r\n)*\r\n[A-Z][a-z]+ [\w./ ]+\.$/);
		assert.match(await answerTo({ path }, upgrade("h2c", alice.cookie), preface), /^HTTP\/1\.1 400 /);
		assert.match(await answerTo({ path }, "CONNECT desk.test:443 HTTP/1.1\r\nHost: desk.test:443\r\n\r\n"), /^HTTP\/1\.1 405 /);
		assert.match(await rig.stack.logText("streamd"), /warning: a request that was no business of the edge was refused with \d+/);
		assert.equal(rig.daemon("streamd").pid, pid);
	});

	it("authd's neither", async () => {
		const path = join(rig.stack.run, "authd/http");

		for (const bytes of [upgrade("h2c", alice.cookie).replace(/GET \S+/, "GET /api/v1/account"), preface.toString("latin1")]) {
			const heard = await answerTo({ path }, bytes.replace("Connection: Upgrade, HTTP2-Settings", "Connection: close"));

			assert.doesNotMatch(heard, /101 Switching|\0\0.\x04\0/);
		}
	});
});

describe("WebSockets through nginx", () => {
	it("from a foreign Origin, from none, or from a part of ours", async () => {
		for (const origin of [FOREIGN, "null", undefined, rig.url.replace("http:", "https:"), `${rig.url}.evil.example`,
			rig.url.replace(/\d+$/, "1")]) {
			const end = await attempt(`/ws/streams/${signIn.id}`, alice, { Origin: origin });

			assert.equal(end.status, 403, `${origin}: ${JSON.stringify(end)}`);
		}
		assert.match(await rig.stack.logText("streamd"), /warning.* was refused, for it came from https:\/\/evil\.example; .*setting origin in \S+\.conf/);
	});

	it("without a login, or with one that is none", async () => {
		assert.equal((await attempt(`/ws/streams/${signIn.id}`, null)).status, 401);
		assert.equal((await attempt(`/ws/streams/${signIn.id}`, { cookie: alice.cookie.replace(/=.*/, "=abc") })).status, 401);
	});

	it("for another person's stream, and for one that there is not", async () => {
		assert.equal((await attempt(`/ws/streams/${signIn.id}`, bob)).code, 4403);
		assert.match(await rig.stack.logText("streamd"), /bob, from \S+, asked for a sign-in that belongs to somebody else/);
		const { code } = await attempt("/ws/streams/nothing", alice);

		assert.equal(code, 4404);
	});

	it("for another person's booking", async () => {
		const { id } = await alice.book({ date: day(2), desk: "D-203" }); /* waits, for she has not signed in there */

		await alice.bookingIs(id, ["needs_sign_in"]);
		assert.equal((await attempt(`/ws/bookings/${id}/events`, bob)).code, 4404);
		for (const path of [`/bookings/${id}`, `/bookings/${id}/log`])
			refused(await bob.call("GET", path), 404, "not_found");
		refused(await bob.call("POST", `/bookings/${id}/cancel`, {}), 404, "not_found");
		assert.deepEqual((await bob.must("GET", "/bookings")).bookings, []);
		await alice.must("POST", `/bookings/${id}/cancel`, {});
	});

	it("a plain request", async () => {
		const { status } = await httpCall(`${rig.url}/ws/streams/${signIn.id}`, { headers: { Cookie: alice.cookie,
			Origin: rig.url } });

		assert.equal(status, 426);
	});

	it("messages that are none close it, with the reason, and leave the sign-in alone", async () => {
		const notify = (method, params) => JSON.stringify({ jsonrpc: "2.0", method, params });
		const bad = ["hello", "{", "[]", notify("nothing"), notify("mouse_event", { type: "fly", x: 1, y: 1 }),
			notify("mouse_event", { type: "move", x: 1e9, y: 1 }), notify("text_insert", { text: "a", colour: "red" }),
			"{\"jsonrpc\":\"2.0\",\"method\":\"sign_in_done\",\"method\":\"sign_in_done\"}", "[".repeat(100), Buffer.alloc(10)];

		for (const message of bad) {
			const socket = rig.socket(`/ws/streams/${signIn.id}`, alice);

			socket.on("error", () => {});
			await once(socket, "open");
			socket.send(message);
			const [code, why] = await inTime(once(socket, "close"), 60_000, `${message} was taken`);

			assert.ok([1003, 1008, 4400].includes(code), `${message}: ${code} ${why}`);
		}
		assert.equal((await signIn.show()).step, "waiting");
		assert.equal(signIn.closed, null);
	});
});

describe("a page that does what no person can", () => {
	let signIn;

	before(async () => {
		signIn = await alice.open();
		await signIn.reaches("waiting");
	});
	after(() => alice.closeAll());

	const opened = async () => {
		const socket = rig.socket(`/ws/streams/${signIn.id}`, alice);

		socket.on("error", () => {});
		await once(socket, "message"); /* it has been admitted; open it is before that */
		return socket;
	};

	for (const [what, count, method, params] of [["moves", 20000, "mouse_event", { type: "move", x: 5, y: 5 }],
		["reloads", 200, "page_navigate_to", { to: "reload" }]])
		it(`sends ${count} ${what} at once: its connection is closed, the sign-in goes on`, async () => {
			const socket = await opened();
			const closed = once(socket, "close");

			for (let i = 0; i < count; i++)
				socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
			const [code, why] = await inTime(closed, 60_000, `${count} ${what} were taken`);

			assert.equal(code, 1008);
			assert.match(String(why), /more than a person can do/);
			assert.equal((await signIn.show()).step, "waiting");
			assert.equal(signIn.closed, null);
		});

	it("pads what costs nothing: its text is charged", async () => {
		const socket = await opened();
		const closed = once(socket, "close");
		const ack = JSON.stringify({ jsonrpc: "2.0", method: "frame_ack", params: { seq: 1 } });

		for (let i = 0; i < 60; i++)
			socket.send(ack + " ".repeat(60_000));
		const [code, why] = await inTime(closed, 60_000, "sixty long acknowledgements were taken");

		assert.equal(code, 1008);
		assert.match(String(why), /more than a person can do/);
		assert.equal((await signIn.show()).step, "waiting");
	});

	it("answers what it was not asked: its connection is closed", async () => {
		const socket = await opened();
		const closed = once(socket, "close");

		socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, result: {} }));
		const [code, why] = await inTime(closed, 60_000, "an answer to nothing was taken");

		assert.equal(code, 1008);
		assert.match(String(why), /calls methods/);
	});

	it("keeps 80 event streams open: whoever comes afterwards gets in", async () => {
		const { id } = await bob.book({ date: day(2), desk: "D-204" });
		const abort = new AbortController();
		const ask = () => fetch(`${rig.url}/api/v1/bookings/${id}/events`, { headers: { Cookie: bob.cookie }, signal: abort.signal });
		const streams = await inTime(Promise.all(Array.from({ length: 80 }, ask)), 60_000, "80 event streams did not open");

		for (const { status } of streams)
			assert.equal(status, 200);
		(await inTime(opened(), 30_000, "no WebSocket opens beside them")).close();
		abort.abort();
	});

	it("is open as often as most_viewers allows: the next is refused, until one of them is closed", async () => {
		const others = await Promise.all(Array.from({ length: MOST_VIEWERS - 1 }, opened)); /* signIn has one of its own */
		const { code, why } = await attempt(`/ws/streams/${signIn.id}`, alice);

		assert.equal(code, 4429);
		assert.match(why, /^Too many pages show this sign-in already/);
		const viewers = async () => (await rig.status()).streamd.viewers;
		const before = await viewers();

		others[0].close();
		await becomes(async () => await viewers() < before, 60_000, "the closed one still counts");
		(await opened()).close();
		for (const socket of others)
			socket.close();
	});

	it("opens more than 100 WebSockets: further ones are refused, its calls are not", async () => {
		const { id } = await alice.book({ date: day(1), desk: "D-203" });
		const sockets = Array.from({ length: 101 }, () => rig.socket(`/ws/bookings/${id}/events`, alice));
		const [statuses] = await Promise.all([Promise.all(sockets.map((socket) => {
			socket.on("error", () => {});
			return Promise.race([once(socket, "open").then(() => 101),
				once(socket, "unexpected-response").then(([, response]) => response.statusCode)]);
		})), signIn.show()]);

		assert.ok(statuses.includes(101) && statuses.includes(429), statuses.join(" "));
		await signIn.show();
		for (const socket of sockets)
			socket.terminate();
	});
});

/* One raw connection: what is sent, and until it is closed. */
function closes(path, bytes)
{
	const socket = connect(path);

	socket.on("error", () => {});
	socket.once("connect", () => socket.write(bytes));
	socket.resume();
	/* Sooner than a connection that has said nothing right is ended for its silence. */
	return inTime(once(socket, "close"), 5_000, `${path} stayed open after ${bytes.subarray(0, 8).toString("hex")}`);
}

describe("the daemons' processes", () => {
	for (const name of Object.keys(SOCKETS))
		it(`${name} leaves no core dump and lets nobody of the same user look into it`, async () => {
			const proc = `/proc/${rig.daemon(name).pid}`;

			assert.match(await readFile(`${proc}/limits`, "utf8"), /^Max core file size +0 +0 /m);
			assert.equal((await stat(`${proc}/environ`)).uid, 0, "it can be dumped (PR_SET_DUMPABLE, proc(5))");
		});

	it("no command line says how to get into the database", async () => {
		for (const name of Object.keys(SOCKETS))
			assert.doesNotMatch(await readFile(`/proc/${rig.daemon(name).pid}/cmdline`, "latin1"), /database|dbname|host=/);
	});
});

describe("the daemons' own sockets", () => {
	const path = (daemon, name) => join(rig.stack.run, daemon, name);

	for (const [daemon, names] of Object.entries(SOCKETS)) {
		it(`${daemon}: frames of no length, of 4 GiB, of no JSON close the connection`, async () => {
			const { pid } = rig.daemon(daemon);

			for (const name of names) {
				for (const bytes of [Buffer.alloc(4), Buffer.from("ffffffff", "hex"), Buffer.from("80000000", "hex"),
					frame("hello"), frame("{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\"}"), frame("[".repeat(100)),
					frame({ jsonrpc: "2.0", id: 1, method: "hello", params: { version: 99, program: "test" } })])
					await closes(path(daemon, name), bytes);
			}
			assert.equal(rig.daemon(daemon).pid, pid);
		});
	}

	it("a method of another socket is not there", async () => {
		for (const [daemon, name, method] of [["streamd", "control", "stream_open"], ["streamd", "front", "run_open"],
			["streamd", "bot", "stream_list"], ["sessiond", "front", "session_fetch"], ["sessiond", "control", "session_store"],
			["sessiond", "stream", "session_fetch"], ["botd", "control", "booking_create"], ["authd", "control", "login_check"],
			["authd", "stream", "user_add"], ["botd", "front", "nothing"]]) {
			const client = await RpcClient.open(path(daemon, name));

			await assert.rejects(client.call(method, {}, { for: { user: 1 } }), (error) => error.code === "unknown_method"
				&& error.message.length > 10, `${daemon} ${name} ${method}`);
			client.close();
		}
	});

	it("a method for a person is not for nobody", async () => {
		const client = await RpcClient.open(path("streamd", "front"));

		await assert.rejects(client.call("stream_list"), (error) => error.code === "not_signed_in");
		client.close();
	});
});

describe("steadctl", () => {
	it("words that it does not know, and parameters that are wrong, are refused with a sentence", async () => {
		for (const words of [["frobnicate"], ["stream", "open", "desk"], ["stream", "close", "nothing"],
			["booking", "show", "x"], ["user", "add"]])
			await assert.rejects(rig.stack.steadctl(...words), (error) => /[a-z] [a-z]+ [a-z]/.test(error.message.split(": ").slice(1).join(": ")), words.join(" "));
	});

	it("what it does at any daemon is written down, and what somebody wants of another's", async () => {
		const own = await alice.open(), audit = async (...words) => (await rig.steadctl(...words)).entries.map(({ detail }) => detail);

		await own.reaches("waiting");
		assert.equal((await attempt(`/ws/streams/${own.id}`, bob)).code, 4403);
		await rig.steadctl("stream", "close", own.id);
		await rig.steadctl("vault", "rewrap");
		await assert.rejects(rig.steadctl("booking", "cancel", "4711"));
		await becomes(async () => /^bob /.test(await rig.postgres.sql("SELECT concat_ws(' ', user_name, ip, detail) FROM authd.audit"
			+ " WHERE event = 'forbidden' ORDER BY id DESC LIMIT 1")), 60_000, "Bob's look is not written down.");
		assert.ok((await audit("audit", "list")).includes(`stream_close id=${own.id}`));
		assert.ok((await audit("vault", "audit")).includes("vault_rewrap"));
		assert.ok((await audit("booking", "audit")).includes("booking_cancel id=4711"));
	});

	it("a daemon that is away is named", async () => {
		await rig.daemon("botd").stop();
		await assert.rejects(rig.stack.steadctl("booking", "list"), /botd/);
		await rig.daemon("botd").start();
	});
});

describe("a recipe with an unknown key", () => {
	it("is refused with file, line and key where the operator looks; the others stay in force", async () => {
		const good = await readFile(join(rig.stack.dir, "recipes/desk.json"), "utf8");
		const bad = JSON.stringify({ ...JSON.parse(good), frobnicate: 1 }, null, "\t");
		const line = bad.split("\n").findIndex((text) => text.includes("frobnicate")) + 1;
		const file = join(rig.stack.dir, "recipes/bad.json");

		await writeFile(file, bad);
		await rig.restart("botd");
		await rig.restart("streamd");
		const { botd: { recipe_trouble: trouble } } = await rig.status();

		for (const said of [trouble, await rig.stack.logText("streamd"), await rig.stack.logText("botd")])
			assert.match(said, new RegExp(`bad\\.json:${line}.*frobnicate`));
		assert.deepEqual((await alice.must("GET", "/sites")).sites.map(({ name }) => name), ["desk"]);
	});
});
