/*
 * A run that is watched: whoever owns it sees what Stead's browser shows, and can do nothing there; anybody else sees nothing. Its
 * site answers late, so that there is time to look.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, day, LIMIT_MS, picture, startRig } from "./rig.mjs";

const LATE_MS = 6000;
const NOBODY = 4404, FORBIDDEN = 4403, ENDED = 4410;

/* What whoever drives a screen may say. */
const acts = [["mouse_event", { type: "press", x: 10, y: 10, button: "left", buttons: 1, clicks: 1 }],
	["key_event", { type: "down", key: "a", code: "KeyA", vk: 65, text: "a" }], ["text_insert", { text: "a" }],
	["view_resize", { width: 400, height: 300 }], ["page_navigate_to", { to: "reload" }], ["tab_close", { tab: 1 }],
	["dialog_answer", { dialog: 1, accept: true }], ["sign_in_done", {}], ["stay", {}]];

let rig, alice, bob, days = 0;

const control = (path, body) => rig.sites.control(path, body);

/* What one page is shown. */
class Watcher {
	pictures = [];
	page = null;
	pointers = [];
	closed = null; /* { code, reason } */

	constructor(visitor, site = "desk")
	{
		this.socket = rig.socket(`/ws/runs/${site}`, visitor);
		this.socket.on("message", (data, binary) => (binary ? this.#picture(data) : this.#heard(JSON.parse(data))));
		this.socket.on("error", () => {});
		this.socket.on("close", (code, reason) => {
			this.closed = { code, reason: String(reason) };
		});
	}

	say(method, params)
	{
		this.socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
	}

	#picture(data)
	{
		this.pictures.push({ width: data.readFloatLE(16), height: data.readFloatLE(20), jpeg: data.subarray(32, 34).toString("hex") });
		this.say("frame_ack", { seq: data.readUInt32LE(4) });
	}

	#heard({ method, params })
	{
		if (method === "page_changed")
			this.page = params;
		else if (method === "pointer_moved")
			this.pointers.push(params);
	}

	async end()
	{
		if (!this.closed)
			await once(this.socket, "close");
		return this.closed;
	}
}

/* A booking whose browser is there, and somebody who watches it. */
async function watched()
{
	const booking = await alice.book({ date: day(1 + days++), desk: "D-201" });
	let watcher;

	await becomes(async () => {
		watcher = new Watcher(alice);
		await becomes(() => watcher.closed || watcher.page, LIMIT_MS, "nothing was heard");
		return watcher.page;
	}, LIMIT_MS, "no browser was shown");
	return { booking, watcher };
}

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
	bob = await rig.login("bob");
	await alice.savedSignIn();
});
afterEach(async () => {
	await becomes(async () => (await alice.must("GET", "/bookings")).bookings.every(({ state }) => state === "done"), LIMIT_MS,
		"a booking does not end");
	await control("/knobs", { answer_late_ms: 0 });
});
after(() => rig?.stop());

describe("watching a run", { concurrency: false }, () => {
	it("shows its owner the page as it is, until its browser is closed", { timeout: LIMIT_MS }, async () => {
		await control("/knobs", { answer_late_ms: LATE_MS });
		const { booking, watcher } = await watched();

		await becomes(() => watcher.pictures.length > 1 && /desk\.test/.test(watcher.page.url), LIMIT_MS, "no pictures of the site came");
		assert.deepEqual(await watcher.end(), { code: ENDED, reason: "This browser is closed." });
		assert.ok(watcher.pictures.every(({ jpeg }) => jpeg === "ffd8"), "all of them are JPEGs");
		assert.ok(watcher.pointers.length > 0, "nothing was heard of the bot's mouse");
		const [{ width, height }] = watcher.pictures;

		for (const { x, y } of watcher.pointers)
			assert.ok(x > 0 && x < width && y > 0 && y < height, `the mouse is in the picture: ${x}, ${y}`);
		assert.equal((await alice.bookingIs(booking.id, ["done"])).outcome, "booked");
	});

	it("is for its owner alone, and only while there is a browser", { timeout: LIMIT_MS }, async () => {
		await control("/knobs", { answer_late_ms: LATE_MS });
		const { watcher } = await watched();

		assert.equal((await new Watcher(bob).end()).code, NOBODY);
		assert.equal((await new Watcher(alice, "nowhere").end()).code, NOBODY);
		await watcher.end();
		assert.match((await new Watcher(alice).end()).reason, /^No browser is open at this site for you just now\.$/);
	});

	it("is counted: steadctl lists the runs that are open, and how many watch", { timeout: LIMIT_MS }, async () => {
		await control("/knobs", { answer_late_ms: LATE_MS });
		const began = Date.now(), { watcher } = await watched(), another = new Watcher(alice);

		await once(another.socket, "open");
		const [run, ...others] = (await rig.steadctl("run", "list")).runs;

		assert.deepEqual(others, []);
		assert.equal(run.site, "desk");
		assert.equal(run.user, (await rig.steadctl("booking", "list")).bookings[0].user);
		assert.equal(run.viewers, 2);
		assert.ok(run.opened_at_ms >= began && run.opened_at_ms <= Date.now(), `opened at ${run.opened_at_ms}`);
		await watcher.end();
		await becomes(async () => (await rig.steadctl("run", "list")).runs.length === 0, LIMIT_MS, "the run is still listed");
	});

	it("is to look on: whatever else is said ends it, and the booking goes on", { timeout: LIMIT_MS }, async () => {
		await control("/knobs", { answer_late_ms: LATE_MS });
		const { booking, watcher } = await watched();

		for (const [method, params] of acts) {
			const one = new Watcher(alice);

			await once(one.socket, "open");
			one.say("view_show", { visible: true });
			one.say(method, params);
			assert.deepEqual(await one.end(), { code: FORBIDDEN, reason: `This page may look, and not do anything here (${method}).` });
		}
		assert.equal(watcher.closed, null, "who only looks is still there");
		assert.equal((await alice.bookingIs(booking.id, ["done"])).outcome, "booked");
	});
});

describe("the page of a booking", { concurrency: false }, () => {
	let browser, person;

	before(async () => {
		browser = await openViewer();
		person = new Person(await openWindow(browser), rig.url);
		await person.signInToStead({ name: "alice", password: rig.password });
	});
	after(() => browser?.close());

	it("shows the browser at work to who wants to watch, and keeps what it showed last", { timeout: LIMIT_MS }, async () => {
		await control("/knobs", { answer_late_ms: LATE_MS });
		const { id } = await alice.book({ date: day(1 + days++), desk: "D-201" });
		const { page } = person;

		await page.goto(`${rig.url}/bookings/${id}`);
		await page.getByRole("button", { name: "Watch the browser" }).click();
		await page.locator(".watch canvas:not(.blank)").waitFor();
		await page.getByText("nothing can be pressed or typed here").waitFor();
		await page.getByText("– desk.test ·").waitFor();
		await page.locator(".watch .pointer").waitFor();
		await picture(page, "watching");
		await page.getByText("The browser is closed; this is what it showed last.").waitFor();
		assert.equal(await page.locator(".watch .pointer").count(), 0, "its mouse has gone with it");
		await picture(page, "watched");
		await page.getByRole("button", { name: "Stop watching" }).click();
		assert.equal(await page.locator(".watch").count(), 0);
		assert.equal(await page.getByRole("button", { name: "Watch the browser" }).count(), 0, "it has ended");
	});
});
