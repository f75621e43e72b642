/*
 * What programs get beside JSON: a booking's log and state as an event stream (a STREAM row), and the picture of a page (a RAW row),
 * both from authd, with the login they were asked for with.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { becomes, httpCall, inTime, LIMIT_MS, startRig } from "./rig.mjs";

const day = (n) => new Date(Date.now() + n * 86400_000).toISOString().slice(0, 10);

let rig, bob, waiting;

/* Server-sent events, as HTML says how to take them apart. */
class Events {
	list = []; /* { id, event, data } */
	comments = 0;
	ended = false;

	async open(visitor, path, headers = {})
	{
		const asked = request(`${rig.url}/api/v1${path}`, { agent: false, headers: { Cookie: visitor.cookie, ...headers } });

		asked.on("error", () => { this.ended = true; });
		asked.end();
		[this.response] = await inTime(once(asked, "response"), LIMIT_MS, `${path} was not answered`);
		this.status = this.response.statusCode;
		this.#read().catch(() => {}).finally(() => { this.ended = true; });
		return this;
	}

	async #read()
	{
		let text = "";

		for await (const piece of this.response.setEncoding("utf8")) {
			const whole = (text + piece).split("\n\n");

			text = whole.pop();
			whole.forEach((block) => this.#take(block));
		}
	}

	#take(block)
	{
		const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s)));

		if (block.startsWith(":"))
			this.comments++;
		else
			this.list.push({ id: fields.id, event: fields.event, ...JSON.parse(fields.data) });
	}

	until(look, words, ms = LIMIT_MS)
	{
		return becomes(() => look(this), ms, () => `${words} did not come; there is ${JSON.stringify(this.list)}`);
	}

	close()
	{
		this.response.destroy();
	}
}

const events = (visitor, path, headers) => new Events().open(visitor, path, headers);

before(async () => {
	rig = await startRig();
	bob = await rig.login("bob");
	waiting = await bob.book({ date: day(2), desk: "D-204" }); /* for he has not signed in there */
	await bob.bookingIs(waiting.id, ["needs_sign_in"]);
});
after(() => rig?.stop());

describe("an event stream", { concurrency: false }, () => {
	it("tells what has been, goes on, and ends with the booking", { timeout: LIMIT_MS }, async () => {
		const { id } = await bob.book({ date: day(3), desk: "D-205" });

		await bob.bookingIs(id, ["needs_sign_in"]);
		const stream = await events(bob, `/bookings/${id}/events`);

		assert.equal(stream.status, 200);
		assert.match(stream.response.headers["content-type"], /^text\/event-stream/);
		assert.equal(stream.response.headers["cache-control"], "no-store");
		await stream.until(({ list }) => list.some(({ booking }) => booking?.state === "needs_sign_in"), "its state");
		const lines = stream.list.filter(({ line }) => line);

		assert.ok(lines.length > 0);
		lines.forEach(({ id: cursor, event, cursor: said, line }) => assert.deepEqual([cursor, event, said], [String(line.n), "booking_watch", line.n]));
		assert.equal(stream.ended, false);
		await bob.must("POST", `/bookings/${id}/cancel`, {});
		await stream.until(({ ended }) => ended, "the end");
		assert.deepEqual(stream.list.at(-1), { id: "end", event: "end" });
		assert.equal(stream.list.at(-2).booking.state, "cancelled");

		/* A browser comes back by itself with the last id that it has seen, until it is told that there is no more. */
		assert.equal((await events(bob, `/bookings/${id}/events`, { "Last-Event-ID": stream.list.at(-1).id })).status, 204);
		const last = stream.list.filter(({ line }) => line).at(-1).id;
		const again = await events(bob, `/bookings/${id}/events?after=0`, { "Last-Event-ID": String(Number(last) - 1) });

		await again.until(({ ended }) => ended, "its end");
		assert.deepEqual(again.list.filter(({ line }) => line).map(({ id: cursor }) => cursor), [last]);
	});

	it("is refused as any other call is", { timeout: LIMIT_MS }, async () => {
		const alice = await rig.login("alice");
		const path = `/bookings/${waiting.id}/events`;
		const status = async (visitor, at, headers) => {
			const { response, status: got } = await events(visitor, at, headers);

			response.destroy();
			return got;
		};

		assert.equal(await status({ cookie: "" }, path), 401);
		assert.equal(await status(alice, path), 404);
		assert.equal(await status(bob, "/bookings/0/events"), 400);
		assert.equal(await status(bob, `${path}?colour=red`), 400);
		assert.equal(await status(bob, path, { "Sec-Fetch-Site": "cross-site" }), 403);
		assert.equal(await status(bob, path, { Origin: "https://evil.test" }), 403);
		assert.equal(await status(bob, path, { "Sec-Fetch-Site": "same-origin" }), 200);
		assert.equal((await httpCall(`${rig.url}/api/v1${path}`, { method: "HEAD", headers: { Cookie: bob.cookie } })).status, 200);
	});

	it("ends with its login, and another's does not", { timeout: LIMIT_MS }, async () => {
		const mine = await rig.visitor("bob").login(), path = `/bookings/${waiting.id}/events`;
		const [one, other] = await Promise.all([events(mine, path), events(bob, path)]);

		await Promise.all([one, other].map((stream) => stream.until(({ list }) => list.length, "anything")));
		await mine.must("POST", "/logout", {});
		await one.until(({ ended }) => ended, "the end", 30_000);
		assert.notEqual(one.list.at(-1).event, "end"); /* whoever signs in again goes on */
		assert.equal(other.ended, false);
		other.close();
	});

	it("that many read keeps nobody from being answered", { timeout: LIMIT_MS }, async () => {
		await rig.restart("authd", { requests: 4 });
		const path = `/bookings/${waiting.id}/events`, streams = [];

		for (let i = 0; i < 12; i++)
			streams.push(await events(bob, path));
		assert.deepEqual(streams.map(({ status }) => status), streams.map(() => 200));
		await bob.must("GET", "/account");
		streams.forEach((stream) => stream.close());
		await rig.restart("authd", { requests: undefined });
	});

	/* nginx never sends more than one request; whoever is on its socket may. */
	it("takes nothing of what comes behind its request", { timeout: LIMIT_MS }, async () => {
		const socket = connect(join(rig.stack.run, "authd/http"));
		let text = "";

		socket.setEncoding("utf8").on("data", (piece) => { text += piece; }).on("error", () => {});
		socket.write(`GET /api/v1/bookings/${waiting.id}/events HTTP/1.1\r\nHost: ${new URL(rig.url).host}\r\nCookie: ${bob.cookie}\r\n\r\n`);
		await becomes(() => text.includes("needs_sign_in"), 20_000, () => `nothing came but ${text}`);
		const request = `GET /api/v1/account HTTP/1.1\r\nHost: ${new URL(rig.url).host}\r\n\r\n`;

		for (let i = 0; i < 2000; i++)
			socket.write(request);
		await bob.must("GET", "/account");
		assert.equal(text.match(/HTTP\/1.1/g).length, 1);
		socket.destroy();
	});

	it("is no hindrance when authd stops, and goes on after it", { timeout: LIMIT_MS }, async () => {
		const path = `/bookings/${waiting.id}/events`, stream = await events(bob, path);

		await stream.until(({ list }) => list.length, "anything");
		const began = Date.now();

		await rig.restart("authd");
		assert.ok(Date.now() - began < 10_000, "authd waited for whoever reads");
		await stream.until(({ ended }) => ended, "the end");
		assert.notEqual(stream.list.at(-1).event, "end");
		const { id } = stream.list.filter(({ line }) => line).at(-1);
		const again = await events(bob, path, { "Last-Event-ID": id });

		await again.until(({ list }) => list.some(({ booking }) => booking), "the booking");
		assert.deepEqual(again.list.filter(({ line }) => line), []);
		again.close();
	});

	it("ends when botd does, and says no end", { timeout: LIMIT_MS }, async () => {
		const path = `/bookings/${waiting.id}/events`, stream = await events(bob, path);

		await stream.until(({ list }) => list.length, "anything");
		await rig.restart("botd", {}, "SIGKILL");
		await stream.until(({ ended }) => ended, "the end");
		assert.notEqual(stream.list.at(-1).event, "end");
	});
});

describe("a picture", { concurrency: false }, () => {
	let failed;
	const kept = (columns) => rig.postgres.sql(`SELECT ${columns} FROM jobs.pictures WHERE job_id = ${failed}`);

	it("is an image, to whom it belongs, of the attempt it was taken in", { timeout: LIMIT_MS }, async () => {
		await bob.savedSignIn();
		const { id } = await bob.book({ date: day(4), desk: "D-999" });
		const { picture, attempts } = await bob.bookingIs(id, ["done"]);

		assert.equal(picture, true);
		failed = id;
		const get = (visitor, query = "", headers = {}) => fetch(`${rig.url}/api/v1/bookings/${id}/picture${query}`,
			{ headers: { Cookie: visitor.cookie, ...headers } });
		const got = await get(bob, `?attempt=${attempts}`);

		assert.equal(got.status, 200);
		assert.equal(got.headers.get("content-type"), "image/jpeg");
		assert.equal(got.headers.get("x-content-type-options"), "nosniff");
		assert.deepEqual([...new Uint8Array(await got.arrayBuffer())].slice(0, 3), [0xff, 0xd8, 0xff]);
		assert.equal((await get(bob, `?attempt=${attempts + 1}`)).status, 404);
		assert.equal((await get(await rig.login("alice"))).status, 404);
		assert.equal((await get({ cookie: "" })).status, 401);
		assert.equal((await get(bob, "", { "Sec-Fetch-Site": "cross-site" })).status, 403);
		assert.equal((await get(bob, "", { "Sec-Fetch-Site": "none" })).status, 200);
		assert.equal((await bob.call("GET", `/bookings/${waiting.id}/picture`)).body.error.code, "not_found");
	});

	it("is sealed where it is kept; one that an older botd has left plain is shown, and sealed", { timeout: LIMIT_MS }, async () => {
		const get = async () => new Uint8Array(await (await fetch(`${rig.url}/api/v1/bookings/${failed}/picture`,
			{ headers: { Cookie: bob.cookie } })).arrayBuffer());
		const shown = Buffer.from(await get());

		assert.equal(await kept("plain, position('\\xffd8ff' IN sealed)"), "f|0");
		await rig.daemon("botd").stop();
		await rig.postgres.sql(`UPDATE jobs.pictures SET jpeg = '\\x${shown.toString("hex")}', sealed = NULL WHERE job_id = ${failed}`);
		await rig.daemon("sessiond").stop(); /* until it is there, it is shown as it is */
		await rig.daemon("botd").start();
		assert.ok(shown.equals(await get()));
		assert.equal(await kept("plain"), "t");
		await rig.daemon("sessiond").start();
		await becomes(async () => await kept("plain") === "f", LIMIT_MS, "it is not sealed");
		assert.ok(shown.equals(await get()));
		await rig.postgres.sql(`UPDATE jobs.pictures SET sealed = set_byte(sealed, 200, get_byte(sealed, 200) # 1) WHERE job_id = ${failed}`);
		assert.equal((await bob.call("GET", `/bookings/${failed}/picture`)).body.error.code, "vault_refused");
	});
});
