/*
 * A site that is hard on whoever keeps its sessions: it replaces its token at every visit, has moments in which it answers
 * nonsense, is away for a while, and takes a page's goodbye for a sign-out. What it does is said beforehand, answer by answer,
 * so nothing is random.
 *
 *	const site = await startKeepingSite(rig, { keeps: {} });            a recipe of each name; see recipe()
 *	site.rotate = true;
 *	site.turns = true;
 *	site.next("/list", "blank", "503");                                 the next two answers of that page ("well": as ever)
 *	site.bookings, site.visits("/who"), site.sessions
 *	site.end("alice")                                                   ends the sessions of that account
 *
 * A sign-in needs nobody's help: its page signs in whoever opens it, as the account that site.account says.
 */
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";

const HOST = "keeps.test", AT = `https://${HOST}`;

function recipe({ title = "Keeps", session, patience_ms = 3000 })
{
	const read = { step: "read", at: { css: "#list li" }, all: true, cells: [{ name: "desk" }] };

	return { title, home: `${AT}/`, sign_in: { url: `${AT}/enter` }, hosts: [HOST], private_addresses: ["127.0.0.1"],
		signed_in: { url: [`${AT}/home`], mark: { css: "#who" } }, settle: { quiet_ms: 300, cap_ms: 5000 },
		probe: { url: `${AT}/who`, in: { at: { css: "#who" } }, out: { url: [`${AT}/login*`] }, timeout_ms: patience_ms,
			second_look_ms: 200 },
		...(session ? { session } : {}),
		actions: { book: { title: "Book",
			inputs: [{ name: "date", type: "date", label: "Day" }, { name: "desk", type: "text", label: "Desk", required: true }],
			describe: "Desk {desk}",
			list: { steps: [{ step: "open", url: `${AT}/list` }, { step: "wait_for", at: { css: "#list" }, timeout_ms: 2000 }, read],
				none: { css: "#list .none" }, match: [{ cell: "desk", is: "{desk}" }], patience_ms: 2000 },
			steps: [{ step: "open", url: `${AT}/desk?d={desk}` }, { step: "wait_for", at: { css: "#ready" }, timeout_ms: 20000 },
				{ step: "click", at: { css: "button" }, act: true }, { step: "wait_for", at: { css: "#list" } }] } } };
}

/* Its icon is with it: a browser that asks for one beside the page would be given a token that the next page's request may not know yet. */
const page = (body) => `<!doctype html><meta charset="utf-8"><title>Keeps</title><link rel="icon" href="data:,">${body}`;
/* Of whoever leaves the page otherwise than by its own form. */
const FAREWELL = `<script>let own = false; addEventListener("submit", () => { own = true; });
	addEventListener("pagehide", () => own || navigator.sendBeacon("/bye"));</script>`;
/* An upgrade that an open connection keeps from beginning: whoever opens that database waits behind it. */
const BLOCKED = `<script>indexedDB.open("held", 1).onsuccess = (e) => { window.kept = e.target.result; indexedDB.open("held", 2); };</script>`;

const TURN_MS = 700;

class KeepingSite extends EventEmitter {
	rotate = false; /* every page replaces the token, and the old one is dead at once */
	turns = false; /* the probe's page and the list have their token replaced by a script, whose answer takes a moment */
	family = false; /* a token that has been replaced ends the session if it comes again */
	farewell = false; /* pages say goodbye, which signs out */
	account = "alice";
	bookings = [];
	sessions = new Map(); /* by token */
	#next = new Map();
	#visits = [];

	next(path, ...answers)
	{
		this.#next.set(path, [...(this.#next.get(path) ?? []), ...answers]);
	}

	/* How many of the answers that were asked for are still to come. */
	left(path)
	{
		return this.#next.get(path)?.length ?? 0;
	}

	visits(path)
	{
		return this.#visits.filter((one) => one === path).length;
	}

	/* Resolves when that page has been asked for n times. */
	async visited(path, n)
	{
		while (this.visits(path) < n)
			await once(this, "visit");
	}

	end(account)
	{
		for (const session of this.sessions.values())
			session.ended ||= session.account === account;
	}

	reset()
	{
		Object.assign(this, { rotate: false, turns: false, family: false, farewell: false, bookings: [] });
		this.#next.clear();
		this.#visits = [];
	}

	#session(request)
	{
		const token = /(?:^|; )t=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
		const session = this.sessions.get(token);

		if (!session || session.ended)
			return null;
		if (session.token !== token) { /* it has been replaced */
			session.ended ||= this.family;
			return null;
		}
		return session;
	}

	#give(response, session)
	{
		session.token = randomBytes(12).toString("hex");
		this.sessions.set(session.token, session);
		response.setHeader("Set-Cookie", `t=${session.token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=86400`);
	}

	#odd(response, session, how)
	{
		const retry = /^503 after (\d+)$/.exec(how)?.[1];

		if (retry)
			response.writeHead(503, { "Retry-After": retry }).end(page("Down"));
		else if (how === "503")
			response.writeHead(503).end(page("Down"));
		else if (how === "cut")
			response.destroy();
		else if (how === "login")
			response.writeHead(302, { Location: "/login?flap" }).end();
		else if (how === "signs out")
			response.writeHead(302, { Location: "/login", "Set-Cookie": "t=gone; Path=/; Secure; HttpOnly" }).end();
		else if (how === "blank")
			response.end(page("Just a moment"));
		else if (how === "half") {
			response.write(page("Just a moment<img src=\"/seen\">"));
			this.once("seen", () => this.emit("held", response, () => response.end()));
		} else if (how === "hold")
			this.emit("held", response, () => response.end(this.#shown(session, "")));
	}

	#shown(session, more)
	{
		const list = this.bookings.filter(({ account }) => account === session.account).map(({ desk }) => `<li>${desk}</li>`);

		return page(`<p id="who">${session.account}</p><ul id="list"><b>Your desks</b>${list.join("") || '<i class="none">none</i>'}</ul>${more}${this.farewell ? FAREWELL : ""}`);
	}

	#signIn(response)
	{
		this.#give(response, { account: this.account, ended: false });
		response.writeHead(302, { Location: "/home" }).end();
	}

	/* What a page of these paths shows beside the list. */
	#page(path, url)
	{
		if (path === "/desk")
			return `<form method="post" action="/book"><input type="hidden" name="d" value="${url.searchParams.get("d")}">`
				+ "<button>Book</button></form><p id=\"ready\">ready</p>";
		if ((path === "/who" || path === "/list") && this.turns)
			return '<script>fetch("/turn")</script>';
		return "";
	}

	async #book(request, response, session)
	{
		let text = "";

		for await (const piece of request.setEncoding("utf8"))
			text += piece;
		this.bookings.push({ account: session.account, desk: new URLSearchParams(text).get("d") });
		response.writeHead(303, { Location: "/list" }).end();
	}

	async answer(request, response)
	{
		const url = new URL(request.url, AT), path = url.pathname, odd = this.#next.get(path)?.shift();
		const session = this.#session(request);

		this.#visits.push(path);
		this.emit("visit", path);
		response.setHeader("Content-Type", "text/html; charset=utf-8");
		response.setHeader("Cache-Control", "no-store");
		if (path === "/enter")
			return this.#signIn(response);
		if (path === "/seen") { /* the browser has what came before, its token too */
			this.emit("seen");
			return response.writeHead(204).end();
		}
		if (path === "/turn" && session) {
			this.#give(response, session);
			return setTimeout(() => response.end("well"), TURN_MS);
		}
		if (path === "/bye" && session) {
			session.ended = true;
			return response.writeHead(204).end();
		}
		if (!session || path === "/login")
			return path === "/login" ? response.end(page("Please sign in")) : response.writeHead(302, { Location: "/login" }).end();
		if (this.rotate && request.method === "GET" && odd !== "cut" && odd !== "hold") /* what is cut has not come to it */
			this.#give(response, session);
		if (odd === "blocked")
			return response.end(this.#shown(session, BLOCKED));
		if (odd && odd !== "well")
			return this.#odd(response, session, odd);
		if (path === "/book")
			return this.#book(request, response, session);
		return response.end(this.#shown(session, this.#page(path, url)));
	}
}

export async function startKeepingSite(rig, recipes)
{
	const of = (name) => readFile(join(rig.stack.dir, "sites", name));
	const site = new KeepingSite();
	const server = createServer({ key: await of("leaf.key"), cert: await of("leaf.pem") }, (request, response) =>
		site.answer(request, response)).listen(0, "127.0.0.1");

	await once(server, "listening");
	site.setMaxListeners(0);
	for (const [name, wish] of Object.entries(recipes))
		await writeFile(join(rig.stack.dir, `recipes/${name}.json`), JSON.stringify(recipe(wish)));
	await appendFile(join(rig.stack.dir, "etc/stead.conf"), `pin = ${HOST}=127.0.0.1:${server.address().port}\n`);
	for (const name of ["streamd", "botd"])
		await rig.restart(name);
	site.port = server.address().port;
	site.stop = () => {
		server.closeAllConnections();
		server.close();
	};
	return site;
}
