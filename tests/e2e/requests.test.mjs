/*
 * Actions that are made of HTTP requests, without a browser: a site with an API that gives a new cookie with every answer, says what is
 * wrong with 200, and behaves at the worst moment as sites do. What counts is what it was sent, and how often.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { becomes, day, startRig } from "./rig.mjs";

const LIMIT_MS = 180_000;
const HOST = "gym.test", AT = `https://${HOST}`;

const request = (method, path, more) => ({ step: "request", method, url: `${AT}${path}`, ...more });

const RECIPE = { title: "Gym", home: `${AT}/`, sign_in: { url: `${AT}/enter` }, hosts: [HOST], private_addresses: ["127.0.0.1"],
	signed_in: { url: [`${AT}/home`] }, settle: { quiet_ms: 300, cap_ms: 5000 },
	probe: { url: `${AT}/who`, in: { at: { css: "#who" } }, out: { url: [`${AT}/login`] }, second_look_ms: 200,
		request: { url: `${AT}/api/whoami`, account: "/data/name", out: [{ pointer: "/logout", is: "1" }] } },
	actions: { book: { title: "Book a class", answer_ms: 4000,
		inputs: [{ name: "date", type: "date", label: "Day" }, { name: "class", type: "text", label: "Class", required: true }],
		describe: "{class} on {date}",
		list: { steps: [request("GET", "/api/mine?day={date}", { rows: "/bookings", cells: [{ name: "class", pointer: "/className" }] })],
			match: [{ cell: "class", is: "{class}" }], patience_ms: 500, confirm_ms: 3000 },
		steps: [
			request("GET", "/api/classes?day={date|%Y%m%d}", { rows: "/classes", cells: [{ name: "class", pointer: "/className" }],
				pick: [{ cell: "class", is: "{class}" }], keep: [{ name: "class_id", pointer: "/id" }], otherwise: "failed" }),
			request("POST", "/api/book", { act: true, form: [{ name: "id", value: "{class_id}" }, { name: "day", value: "{date}" }],
				headers: [{ name: "X-Requested-With", value: "XMLHttpRequest" }],
				complaint: "/errorMssg",
				means: [{ answer: { pointer: "/bookState", is: "1" }, outcome: "booked" },
					{ answer: { pointer: "/bookState", is: "0" }, outcome: "waitlisted" },
					{ answer: { pointer: "/bookState", is: "-1" }, outcome: "full" }] }),
		],
		outcomes: [{ text: "too early", outcome: "too_early" }] } } };

/* The same, but its list is a page, and what it books with is asked for beside one. */
const { book: PURE } = RECIPE.actions;

RECIPE.actions.mixed = { ...PURE, title: "Book a class by its page", list: { ...PURE.list, none: { css: "#mine .none" },
	steps: [{ step: "open", url: `${AT}/mine?day={date}` }, { step: "wait_for", at: { css: "#mine" } },
		{ step: "read", at: { css: "#mine li" }, all: true, cells: [{ name: "class" }] }] },
steps: [{ step: "open", url: `${AT}/week` }, ...PURE.steps] };

class Gym {
	sessions = new Map(); /* by cookie */
	booked = []; /* { name, class, day } */
	acts = 0;
	asked = [];
	odd = new Map(); /* path: what it does instead, once for each */
	rotate = true;

	next(path, ...odd)
	{
		this.odd.set(path, [...(this.odd.get(path) ?? []), ...odd]);
	}

	#sessionOf(req)
	{
		return this.sessions.get(/sid=([^;]*)/.exec(req.headers.cookie ?? "")?.[1]);
	}

	#give(name)
	{
		const sid = randomBytes(8).toString("hex");

		this.sessions.set(sid, name);
		return `sid=${sid}; Path=/; Secure; HttpOnly`;
	}

	/* The old cookie is dead at once. */
	#rotated(req)
	{
		const sid = /sid=([^;]*)/.exec(req.headers.cookie ?? "")?.[1], name = this.sessions.get(sid);

		if (!this.rotate || !name)
			return {};
		this.sessions.delete(sid);
		return { "Set-Cookie": this.#give(name) };
	}

	async answer(req, res)
	{
		const { pathname, searchParams } = new URL(req.url, AT), odd = this.odd.get(pathname)?.shift();
		let body = "";

		for await (const part of req)
			body += part;
		this.asked.push({ method: req.method, path: pathname, body, headers: req.headers });
		if (pathname === "/api/book")
			this.acts++;
		if (odd && odd(req, res, this, body))
			return;
		this.#serve(req, res, pathname, searchParams, body);
	}

	#json(req, res, value)
	{
		const cookie = this.#rotated(req);

		res.writeHead(200, { "Content-Type": "application/json", ...cookie }).end(JSON.stringify(value));
	}

	#serve(req, res, path, query, body)
	{
		const name = this.#sessionOf(req);

		if (path === "/login")
			return res.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><p>Sign in");
		if (path === "/enter")
			return res.writeHead(302, { Location: "/home", "Set-Cookie": this.#give("alice") }).end();
		if (!path.startsWith("/api/"))
			return name ? res.writeHead(200, { "Content-Type": "text/html", ...this.#rotated(req) })
				.end(`<!doctype html><link rel="icon" href="data:,"><p id="who">${name}</p>${this.#mine(name, query.get("day"))}`) : res.writeHead(302, { Location: "/login" }).end();
		if (!name)
			return this.#json(req, res, { logout: 1 });
		if (path === "/api/whoami")
			return this.#json(req, res, { data: { name } });
		if (path === "/api/mine")
			return this.#json(req, res, { bookings: this.booked.filter((one) => one.name === name && one.day === query.get("day")) });
		if (path === "/api/classes")
			return this.#json(req, res, { classes: [{ id: 11, className: "Yoga" }, { id: 12, className: "WOD  18:00" }, { id: 13, className: "Spin" }] });
		return this.#json(req, res, this.book(name, new URLSearchParams(body)));
	}

	#mine(name, date)
	{
		const rows = this.booked.filter((one) => one.name === name && one.day === date).map(({ className }) => `<li>${className}</li>`);

		return `<ul id="mine">${rows.join("") || "<p class=none>Nothing</p>"}</ul>`;
	}

	book(name, form)
	{
		const className = { 11: "Yoga", 12: "WOD  18:00", 13: "Spin" }[form.get("id")];

		this.booked.push({ name, className, day: form.get("day") });
		return { bookState: 1 };
	}
}

const says = (value, status = 200, headers = {}) => (req, res) => {
	res.writeHead(status, { "Content-Type": "application/json", ...headers }).end(typeof value === "string" ? value : JSON.stringify(value));
	return true;
};
const hangs_up = (req) => {
	req.socket.destroy();
	return true;
};
const books_and = (then) => (req, res, gym, body) => {
	gym.book("alice", new URLSearchParams(body));
	return then(req, res);
};

let rig, alice, gym, server;

const asked = (path) => gym.asked.filter((one) => one.path === path);
const log = async (id) => (await alice.must("GET", `/bookings/${id}/log`)).lines.map(({ text }) => text);

let days = 0;

async function book(className = "Yoga", action = "book")
{
	const date = day(1 + days++), { booking } = await alice.must("POST", "/bookings", { key: `k${date}${className}`, site: "gym", action,
		inputs: { date, class: className } });

	return { id: booking.id, date };
}

async function ends(className)
{
	const { id } = await book(className);

	return alice.bookingIs(id, ["done"], LIMIT_MS);
}

before(async () => {
	rig = await startRig({ widget: false, settings: { botd: { retry_ms: 200, tries: 3 } } });
	const of = (name) => readFile(join(rig.stack.dir, "sites", name));

	gym = new Gym();
	server = createServer({ key: await of("leaf.key"), cert: await of("leaf.pem") }, (req, res) => gym.answer(req, res)).listen(0, "127.0.0.1");
	await once(server, "listening");
	await writeFile(join(rig.stack.dir, "recipes/gym.json"), JSON.stringify(RECIPE));
	await appendFile(join(rig.stack.dir, "etc/stead.conf"), `pin = ${HOST}=127.0.0.1:${server.address().port}\n`);
	for (const name of ["streamd", "botd"])
		await rig.restart(name);
	alice = await rig.login("alice");
	await (await alice.open({ site: "gym" })).reaches("saved");
});
after(async () => {
	await rig?.stop();
	server?.closeAllConnections();
	server?.close();
});

describe("an action over HTTP", { concurrency: false }, () => {
	afterEach(() => gym.odd.clear());

	it("books once, with the session's cookies as they change, and without a browser", { timeout: LIMIT_MS }, async () => {
		const before = gym.asked.length, done = await ends("WOD 18:00");

		assert.equal(done.outcome, "booked", done.reason);
		assert.equal(gym.acts, 1);
		assert.equal(gym.asked.slice(before).some(({ path }) => !path.startsWith("/api/")), false, "no page was opened");
		const act = asked("/api/book")[0];

		assert.match(act.body, /^id=12&day=\d{4}-\d\d-\d\d$/);
		assert.equal(act.headers["x-requested-with"], "XMLHttpRequest");
		assert.match(act.headers["user-agent"], /Chrome\//);
		const lines = await log(done.id);

		assert.ok(lines.some((text) => text === "Asking Gym with your session."), lines.join("\n"));
		assert.ok(lines.some((text) => /^Sending it: POST https:\/\/gym\.test\/api\/book\.$/.test(text)), lines.join("\n"));
	});

	it("goes on with what the site has set, in a browser too", { timeout: LIMIT_MS }, async () => {
		assert.equal((await ends("Yoga")).outcome, "booked");
		const [session] = (await alice.sessions()).filter(({ site }) => site === "gym");

		assert.equal(session.health, "working");
		assert.equal((await ends("Spin")).outcome, "booked");
	});

	it("mixes pages and requests, which share the session as it changes", { timeout: LIMIT_MS }, async () => {
		const acts = gym.acts;

		gym.next("/api/classes", says({ classes: [{ id: 11, className: "Yoga" }] }, 200, { "Set-Cookie": "seen=1; Path=/; Secure" }));
		gym.next("/api/book", books_and(says({ bookState: 1 }, 200, { "Set-Cookie": "seen=; Path=/; Secure; Max-Age=0" })));
		const { id } = await book("Yoga", "mixed"), done = await alice.bookingIs(id, ["done"], LIMIT_MS);

		assert.equal(done.outcome, "booked", done.reason);
		assert.equal(gym.acts, acts + 1);
		assert.match(asked("/api/book").at(-1).headers.cookie, /seen=1/);
		assert.doesNotMatch(asked("/mine").at(-1).headers.cookie, /seen=/);
		assert.equal((await ends("Spin")).outcome, "booked", "and what the browser had is kept");
	});

	it("says what the site says of it", { timeout: LIMIT_MS }, async () => {
		gym.next("/api/book", says({ bookState: -1 }));
		assert.equal((await ends()).outcome, "full");
		gym.next("/api/book", says({ bookState: -12, errorMssg: "It is too early to book this" }));
		const early = await ends();

		assert.equal(early.outcome, "too_early");
		assert.match(early.reason, /It is too early to book this/);
	});

	it("finds no such class", { timeout: LIMIT_MS }, async () => {
		const acts = gym.acts, done = await ends("Zumba");

		assert.equal(done.outcome, "failed");
		assert.equal(gym.acts, acts);
		assert.ok((await log(done.id)).some((text) => /no row of "\/classes" has class "Zumba"/.test(text)));
	});

	it("reads an answer that is none as none, and sends nothing after it", { timeout: LIMIT_MS }, async () => {
		const acts = gym.acts;

		gym.next("/api/classes", says("<html>Wartung</html>"), says("{\"classes\": [", 200), says({ error: "no session" }));
		for (let i = 0; i < 3; i++) {
			const done = await ends("Yoga");

			assert.equal(done.outcome, "failed", done.reason);
		}
		assert.equal(gym.acts, acts);
	});

	it("takes no answer that is none for an empty list", { timeout: LIMIT_MS }, async () => {
		const acts = gym.acts;

		gym.next("/api/mine", says("<html>Wartung</html>"), says({ bookings: null }));
		gym.booked.push({ name: "alice", className: "Yoga", day: day(1 + days) });
		const done = await ends();

		assert.equal(done.outcome, "already_booked", done.reason);
		assert.equal(gym.acts, acts);
	});

	it("waits out a site that is not well, as long as it says", { timeout: LIMIT_MS }, async () => {
		gym.next("/api/mine", says("busy", 429, { "Retry-After": "1" }), hangs_up, says("down", 503));
		const { id } = await book();
		const done = await alice.bookingIs(id, ["done"], LIMIT_MS);

		assert.equal(done.outcome, "booked", done.reason);
	});

	for (const [what, odd, outcome] of [["hung up on after it was taken", books_and(hangs_up), "booked"], ["hung up on", hangs_up, "unconfirmed"],
		["answered with 502 after it was taken", books_and(says("bad", 502)), "booked"], ["answered with nonsense", says("<html>?"), "unconfirmed"]])
		it(`sends once what is ${what}`, { timeout: LIMIT_MS }, async () => {
			const acts = gym.acts;

			gym.next("/api/book", odd);
			const done = await ends();

			assert.equal(done.outcome, outcome, done.reason);
			assert.equal(gym.acts, acts + 1);
		});

	it("sends once what is never answered", { timeout: LIMIT_MS }, async () => {
		const acts = gym.acts;

		gym.next("/api/book", (req, res, site, body) => site.book("alice", new URLSearchParams(body)));
		const done = await ends();

		assert.equal(done.outcome, "booked", done.reason);
		assert.equal(gym.acts, acts + 1);
		assert.ok((await log(done.id)).some((text) => /has not answered so far/.test(text)));
	});

	it("goes nowhere that the recipe does not allow", { timeout: LIMIT_MS }, async () => {
		const acts = gym.acts;

		gym.next("/api/classes", says("", 302, { Location: "http://169.254.169.254/latest/meta-data/" }));
		const done = await ends();

		assert.equal(done.outcome, "failed");
		assert.match(done.reason, /169\.254\.169\.254/);
		assert.equal(gym.acts, acts);
	});

	it("takes no more than is wanted of a body", { timeout: LIMIT_MS }, async () => {
		const bomb = gzipSync(Buffer.alloc(64 << 20, 32)), serve = (req, res) => {
			res.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": "gzip" }).end(bomb);
			return true;
		};

		gym.next("/api/classes", serve, serve, serve, serve);
		const done = await ends();

		assert.equal(done.outcome, "failed");
		assert.match(done.reason, /answered with more than is taken/);
	});

	it("asks its person once the session has ended, and goes on after that", { timeout: LIMIT_MS }, async () => {
		gym.sessions.clear();
		const { id } = await book();

		await alice.bookingIs(id, ["needs_sign_in"], LIMIT_MS);
		await (await alice.open({ site: "gym" })).reaches("saved");
		assert.equal((await alice.bookingIs(id, ["done"], LIMIT_MS)).outcome, "booked");
	});

	it("keeps what the site has set although botd is killed after the act", { timeout: LIMIT_MS }, async () => {
		const acts = gym.acts;

		gym.next("/api/book", (req, res, site, body) => site.book("alice", new URLSearchParams(body)));
		const { id } = await book();

		await becomes(() => gym.acts === acts + 1, LIMIT_MS, "it was to be sent");
		await rig.daemon("botd").kill("SIGKILL");
		await rig.daemon("botd").start();
		const done = await alice.bookingIs(id, ["done", "needs_sign_in"], LIMIT_MS);

		assert.equal(gym.acts, acts + 1);
		assert.ok(done.outcome === "booked" || done.state === "needs_sign_in", "what it rotates while nobody keeps it ends the session");
	});
});
